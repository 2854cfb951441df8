"""The addresses of people and companies in the browser.

Names with `account_`, `mfa_` and `usersessions_` are those by which django-allauth finds its pages.
"""

from django.urls import path, re_path

from accounts.web import api_tokens, companies, own_account, passwords, registering, second_factors, sign_in

# The links of mails. Their keys reach no log (portal.core.middleware, deploy/nginx.conf).
_RESET = r"^new-password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$"
_CONFIRM = r"^confirm-address/(?P<key>[-:\w]+)$"

urlpatterns = [
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-in", sign_in.sign_in, name="account_login"),
    path("sign-in/second-factor", sign_in.SecondFactor.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey", sign_in.Passkey.as_view(), name="mfa_login_webauthn"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("sign-out", sign_in.sign_out, name="account_logout"),
    path("register", registering.Register.as_view(), name="account_signup"),
    path("register/mail-sent", registering.MailSent.as_view(), name="account_email_verification_sent"),
    re_path(_CONFIRM, registering.ConfirmAddress.as_view(), name="account_confirm_email"),
    path("not-active", registering.NotActive.as_view(), name="account_inactive"),
    path("forgot-password", passwords.Forgot.as_view(), name="account_reset_password"),
    path("forgot-password/mail-sent", passwords.ForgotMailSent.as_view(), name="account_reset_password_done"),
    path("new-password/chosen", passwords.NewChosen.as_view(), name="account_reset_password_from_key_done"),
    re_path(_RESET, passwords.ChooseNew.as_view(), name="account_reset_password_from_key"),
    path("terms", own_account.read_terms, name="terms"),
    path("terms/accept", own_account.accept_terms, name="accept-terms"),
    path("account", own_account.overview, name="account"),
    path("account", own_account.overview, name="mfa_index"),
    path("account", own_account.overview, name="mfa_list_webauthn"),
    path("account/profile", own_account.profile, name="profile"),
    path("account/address", own_account.ChangeAddress.as_view(), name="account_email"),
    path("account/password", passwords.Change.as_view(), name="account_change_password"),
    path("account/first-password", passwords.Choose.as_view(), name="account_set_password"),
    path("account/again", second_factors.PasswordAgain.as_view(), name="account_reauthenticate"),
    path("account/again/code", second_factors.CodeAgain.as_view(), name="mfa_reauthenticate"),
    path("account/again/passkey", second_factors.PasskeyAgain.as_view(), name="mfa_reauthenticate_webauthn"),
    path("account/app/add", second_factors.AddApp.as_view(), name="mfa_activate_totp"),
    path("account/app/remove", second_factors.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("account/passkeys/add", second_factors.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/name", second_factors.RenamePasskey.as_view(), name="mfa_edit_webauthn"),
    path(
        "account/passkeys/<int:pk>/remove",
        second_factors.RemovePasskey.as_view(),
        name="mfa_remove_webauthn",
    ),
    path("account/recovery-codes", second_factors.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path(
        "account/recovery-codes/new",
        second_factors.NewRecoveryCodes.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/recovery-codes/file",
        second_factors.RecoveryCodesAsFile.as_view(),
        name="mfa_download_recovery_codes",
    ),
    path("account/sessions", own_account.sessions, name="usersessions_list"),
    path("account/sessions/others/end", own_account.end_other_sessions, name="sessions-end-others"),
    path("account/sessions/<int:session_id>/end", own_account.end_session, name="session-end"),
    path("account/data", own_account.export, name="my-data"),
    path("account/delete", own_account.delete, name="account-delete"),
    path("companies/new", companies.create_company, name="company-new"),
    path("companies/<int:company_id>/projects/new", companies.create_project, name="project-new"),
    path("companies/<int:company_id>/api-tokens", api_tokens.company_tokens, name="company-api-tokens"),
    path("projects/<int:project_id>/api-tokens", api_tokens.project_tokens, name="project-api-tokens"),
    path("api-tokens/<int:token_id>/revoke", api_tokens.revoke, name="api-token-revoke"),
]
