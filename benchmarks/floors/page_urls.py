"""The portal's addresses, and the floor of its pages."""

from django.urls import path

from benchmarks.floors import page_views
from portal import urls

urlpatterns = [path("floor/<int:project_id>", page_views.list_page), *urls.urlpatterns]
