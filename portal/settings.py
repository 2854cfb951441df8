"""Settings of the portal, all from the environment (deploy/portal.env.example explains each).

DEMO=1 fills in what is missing, for `make run`, tests and development.
"""

from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from redis.backoff import NoBackoff
from redis.retry import Retry

from portal.account_settings import *  # noqa: F403
from portal.core import logs
from portal.environment import DEMO_MARK, Environment
from portal.rest_settings import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent

environment = Environment()
DEMO = environment.demo
DATA_DIR = Path(environment.text("DATA_DIR", str(BASE_DIR / "var"))).resolve()

# --- Identity and secrets (trust.md 3 and 10) ---
PORTAL_ID = environment.identity(
    "PORTAL_ID",
    demo=f"https://license-portal.demo.invalid{DEMO_MARK}",
    means="the portal's identity in signed documents, a URL that is never dereferenced",
)
PORTAL_ID_ALSO = environment.text("PORTAL_ID_ALSO", "").replace(",", " ").split()
PORTAL_ORIGINS = [
    origin.rstrip("/")
    for origin in environment.words(
        "PORTAL_ORIGINS",
        demo=["http://localhost:8000"],
        means="where the portal is reached, like https://licenses.example.com",
    )
]
environment.addresses("PORTAL_ORIGINS", PORTAL_ORIGINS, "https", "http")
# Each of these may be several, the newest first (docs/rotation.md).
_secret_keys = environment.secrets("SECRET_KEY", folder=DATA_DIR, means="signs sessions and nonces")
SECRET_KEY, *SECRET_KEY_FALLBACKS = _secret_keys
ACTIVATION_CODE_PEPPER, *ACTIVATION_CODE_PEPPERS_BEFORE = environment.byte_secrets(
    "ACTIVATION_CODE_PEPPER", folder=DATA_DIR, means="the key of the hash of activation keys"
)
DELIVERY_KEYS = environment.fernet_keys(
    "DELIVERY_KEYS", folder=DATA_DIR, means="encrypt activation keys until they are delivered"
)
SIGNING_KEYS_DIR = Path(environment.text("SIGNING_KEYS_DIR", str(DATA_DIR / "signing-keys")))
SIGNING_KEYS_PASSPHRASE, *SIGNING_KEYS_PASSPHRASES_BEFORE = environment.byte_secrets(
    "SIGNING_KEYS_PASSPHRASE", folder=DATA_DIR, means="opens the files of the document keys"
)
# Not beside the database, which must not be older than what is remembered here (docs/decisions/0035).
LAST_SIGNED_DIR = Path(environment.text("LAST_SIGNED_DIR", str(DATA_DIR / "last-signed")))
SECOND_FACTOR_KEYS = environment.fernet_keys(
    "SECOND_FACTOR_KEYS", folder=DATA_DIR, means="encrypt authenticator secrets and recovery codes"
)

# --- Business (mission.md) ---
# Who accepted others is asked at the next sign-in. The text: portal/templates/account/terms_text.html.
TERMS_VERSION = environment.text("TERMS_VERSION", "2026-11")
GRANTS_PER_DEVICE = 200
ACTIVATION_CODE_KEPT = timedelta(days=7)
CUSTOMER_LISTS_PER_MINUTE = environment.number("CUSTOMER_LISTS_PER_MINUTE", 60)  # of 200 customers, over REST
ORDERS_PER_MINUTE = environment.number("ORDERS_PER_MINUTE", 600)  # of one program or person, over REST
# A history up to so many entries is downloaded at once; a longer one is made in the background.
HISTORY_ROWS_AT_ONCE = environment.number("HISTORY_ROWS_AT_ONCE", 5000)
KEY_LOOKUPS_PER_HOUR = environment.number("KEY_LOOKUPS_PER_HOUR", 600)
LARGEST_QUANTITY = 1_000_000
TEST_LICENSE_MONTHS = 3  # from the first download; the mission's number, so not for the environment
TEST_LICENSE_LARGEST_QUANTITY = environment.number("TEST_LICENSE_LARGEST_QUANTITY", 100)
# Test licenses of hardware IDs that the company never had a signed word from, at a time.
TEST_LICENSES_WITHOUT_CONTACT = environment.number("TEST_LICENSES_WITHOUT_CONTACT", 20)

# Moves of a company that are undecided, or approved without the old hardware seen to: above that support
# decides first (mission rule 25).
MOVES_WITHOUT_HARDWARE = environment.number("MOVES_WITHOUT_HARDWARE", 5)
# Units times the weight of their products, above which a move takes a second person (mission rule 26).
MOVE_WEIGHT_LIMIT = environment.number("MOVE_WEIGHT_LIMIT", 500)
# The largest evidence file of a move (mission rule 24); the proxy in front lets 6 MiB through.
EVIDENCE_KIB = environment.number("EVIDENCE_KIB", 5 * 1024)

# Who works in the staff console has a second factor. Only the demo can do without.
STAFF_SECOND_FACTOR = environment.flag("STAFF_SECOND_FACTOR", default=not DEMO) or not DEMO

# --- Django ---
DEBUG = False
ALLOWED_HOSTS = [origin.split("://")[-1].rsplit(":", 1)[0] for origin in PORTAL_ORIGINS]
if DEMO:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]", "testserver"]
CSRF_TRUSTED_ORIGINS = PORTAL_ORIGINS
INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "portal.core",
    "accounts",
    "devices",
    "licenses",
    "orders",
    "support",
]
if find_spec("django_linear_migrations"):  # development: two migrations side by side become a merge conflict
    INSTALLED_APPS.append("django_linear_migrations")
MIDDLEWARE = [
    "licenses.inside.Inside",
    "portal.core.middleware.RequestLog",
    "portal.core.middleware.NoSensors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.SignedIn",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.core.middleware.Refusals",
    "accounts.middleware.TermsFirst",
    "support.middleware.LooksWrittenDown",
    "support.middleware.CustomersView",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "portal" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "accounts.web.active.where",
            ],
            "builtins": ["portal.core.templatetags.components"],
        },
    }
]
FORM_RENDERER = "portal.core.forms.PortalRenderer"
CSRF_FAILURE_VIEW = "portal.core.pages.form_expired"

# --- Databases and cache (architecture.md, "Two databases") ---
DATABASE_URL = environment.required(
    "DATABASE_URL", demo=f"sqlite:///{DATA_DIR}/portal.sqlite3", means="the database"
)
if not environment.addresses("DATABASE_URL", [DATABASE_URL], "postgres", "postgresql", "sqlite"):
    DATABASE_URL = "sqlite://:memory:"  # so that the other mistakes are told as well
DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(
        DATABASE_URL,
        conn_max_age=60,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # DEFERRED loses most of concurrent writers to "database is locked"
        "timeout": 20,
        # FULL: what was answered survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    # In-memory databases cannot be shared by real threads and processes, and the tests have both.
    DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}.test"}
REDIS_URL = environment.text("REDIS_URL", "")
environment.addresses("REDIS_URL", [REDIS_URL] if REDIS_URL else [], "redis", "rediss", "unix")
CACHES: dict[str, Any] = {
    "default": (
        {
            "BACKEND": "portal.core.caches.RedisOrOwn",
            "LOCATION": REDIS_URL,
            # One try on a new connection, for one that Redis closed; the library's retries take seconds.
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1, "retry": Retry(NoBackoff(), 1)},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
    )
}

# --- Jobs: the outbox is in the database; Celery wakes it (portal.core.outbox) ---
CELERY_BROKER_URL = REDIS_URL or None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The worker logs as the web does (portal.core.logs): one shape, and no secrets.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULE = {
    "work off the outbox": {
        "task": "core.work_off_outbox",
        "schedule": timedelta(seconds=2),
        "options": {"expires": 10},  # after a standstill one wake-up is enough
    },
    # What it asks for, and how often, stands beside the handlers (portal.core.schedule).
    "keep the schedule": {
        "task": "core.keep_schedule",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
}

# --- People ---
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "forename", "surname")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- People's accounts, by django-allauth: the rest is in portal/account_settings.py ---
TRUSTED_PROXIES = environment.number("TRUSTED_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO  # the demo has no TLS

# --- Mail: rows, sent by the worker (accounts.mails) ---
MAIL_HOST = environment.required(
    "MAIL_HOST", demo="", means="the mail server, without which nobody can register"
)
MAIL_SECURITY = environment.one_of("MAIL_SECURITY", "starttls", "starttls", "tls", "none")
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if MAIL_HOST
    else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = DATA_DIR / "mails"  # the demo's: a file for each
EMAIL_HOST = MAIL_HOST
EMAIL_PORT = environment.number("MAIL_PORT", 465 if MAIL_SECURITY == "tls" else 587)
EMAIL_HOST_USER = environment.text("MAIL_USER", "")
EMAIL_HOST_PASSWORD = environment.password("MAIL_PASSWORD")
EMAIL_USE_TLS = MAIL_SECURITY == "starttls"
EMAIL_USE_SSL = MAIL_SECURITY == "tls"
EMAIL_TIMEOUT = 10  # a batch of jobs must be done within its lease
DEFAULT_FROM_EMAIL = environment.required(
    "MAIL_FROM",
    demo="License Portal <portal@demo.invalid>",
    means="the sender of mails, like Portal <no-reply@example.com>",
)

# --- Languages and time ---
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- To be watched ---
METRICS_OF_ROWS = True  # /metrics tells what rows tell as well; the device pool leaves that to the web pool

# --- Static files ---
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
STATIC_ROOT = environment.text("STATIC_ROOT", str(DATA_DIR / "static"))
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEMO
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEMO
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# --- Security ---
SECURE_TLS = environment.flag("SECURE_TLS", default=not DEMO)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_TLS
SECURE_SSL_REDIRECT = False  # nginx redirects
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # so Django need not ask for it
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_TLS
SECURE_HSTS_PRELOAD = SECURE_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_TLS else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "accounts.sessions"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

LOGGING = logs.configure(
    as_json=environment.flag("LOG_JSON", default=not DEMO),
    level=environment.one_of("LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR"),
)

environment.check()
