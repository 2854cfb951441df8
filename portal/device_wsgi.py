"""The device doors as a pool of their own, with a short list of middleware."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "portal.device_settings"

application = get_wsgi_application()
