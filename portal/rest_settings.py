"""How Django REST Framework and its description work here: what is the same everywhere."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "accounts.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.core.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.core.problems.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "License Portal",
    "DESCRIPTION": "The partners' REST interface: the same operations as in the browser.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    # Members called `state` that mean different things; the values are those of orders.api.outputs.
    "ENUM_NAME_OVERRIDES": {
        "OrderStateEnum": ["issued", "partly-activated", "activated", "blocked", "canceled"],
        "OrderedKeyStateEnum": ["issued", "activated", "blocked", "canceled", "replaced"],
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,  # what it writes says nothing that the list of values does not
}
