"""The queries of accounts/kept_reads.py as functions, whose plans a connection keeps (docs/decisions/0017)."""

from typing import ClassVar

from django.db import migrations

from portal.core.postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0008_reason_templates"), ("sessions", "0001_initial")]

    operations: ClassVar = [
        RunOnPostgreSQL(
            """
            CREATE FUNCTION accounts_session(
                given_session_key varchar, given_now timestamptz
            )
            RETURNS TABLE (
                stored text
            )
            LANGUAGE plpgsql STABLE ROWS 1 AS $$
            #variable_conflict use_column
            BEGIN
                RETURN QUERY
    SELECT session_data FROM django_session
    WHERE session_key = given_session_key AND expire_date > given_now;
            END $$;
            """,
            "DROP FUNCTION accounts_session(varchar, timestamptz);",
        ),
        RunOnPostgreSQL(
            """
            CREATE FUNCTION accounts_person(
                given_user_id bigint
            )
            RETURNS TABLE (
                person_id bigint, person_password varchar, person_last_login timestamptz,
                person_is_superuser boolean, person_email varchar, person_forename varchar,
                person_surname varchar, person_is_active boolean, person_is_staff boolean,
                person_registered_at timestamptz, person_language varchar,
                person_terms_version varchar, person_left_at timestamptz
            )
            LANGUAGE plpgsql STABLE ROWS 1 AS $$
            #variable_conflict use_column
            BEGIN
                RETURN QUERY
SELECT person."id", person."password", person."last_login", person."is_superuser", person."email", person."forename", person."surname", person."is_active", person."is_staff", person."registered_at", person."language", person."terms_version", person."left_at" FROM accounts_user person WHERE person.id = given_user_id;
            END $$;
            """,
            "DROP FUNCTION accounts_person(bigint);",
        ),
        RunOnPostgreSQL(
            """
            CREATE FUNCTION accounts_project_of_person(
                given_project_id bigint, given_user_id bigint
            )
            RETURNS TABLE (
                role varchar, level varchar, project_id bigint, project_company_id bigint,
                project_name varchar, project_description text, project_created_at timestamptz,
                project_archived_at timestamptz, company_id bigint, company_name varchar,
                company_created_at timestamptz, company_imported_into_id bigint,
                company_imported_at timestamptz
            )
            LANGUAGE plpgsql STABLE ROWS 1 AS $$
            #variable_conflict use_column
            BEGIN
                RETURN QUERY
    SELECT 
           (SELECT role FROM accounts_membership
            WHERE user_id = given_user_id AND company_id = project.company_id),
           (SELECT level FROM accounts_projectright
            WHERE user_id = given_user_id AND project_id = project.id)
, project."id", project."company_id", project."name", project."description", project."created_at", project."archived_at", company."id", company."name", company."created_at", company."imported_into_id", company."imported_at"
    FROM accounts_project project JOIN accounts_company company ON company.id = project.company_id
    WHERE project.id = given_project_id;
            END $$;
            """,
            "DROP FUNCTION accounts_project_of_person(bigint, bigint);",
        ),
    ]
