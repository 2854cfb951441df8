"""How forms look: own templates under portal/templates/forms/, found before Django's."""

from django.forms.renderers import TemplatesSetting


class PortalRenderer(TemplatesSetting):
    field_template_name = "forms/field.html"
