"""Django settings of the device's pages: no database, no users but one; their state is the device."""

import os
import secrets
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent

DEBUG = False
# It signs nothing but the one-time notices of this process's page.
SECRET_KEY = secrets.token_urlsafe(32)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *os.environ.get("APPLIANCE_HOSTS", "").split()]

INSTALLED_APPS = ["django.contrib.messages", "django.contrib.staticfiles", "appliance"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "appliance.body_limit.BodyLimitMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "appliance.sign_in.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "appliance.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Cookies do not know ports: the portal may stand on the same host, and the names must not collide.
CSRF_COOKIE_NAME = "appliance_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "appliance.views.forged"
MESSAGE_STORAGE = "appliance.notices.NoticeStorage"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# Served out of the package: a device has no step in which files are collected.
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

# An uploaded file stays in memory; how large it may be, BodyLimitMiddleware says before.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_CHARSET = "utf-8"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
