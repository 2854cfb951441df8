"""The addresses of keys, balances, projects and devices in the browser."""

from django.urls import path

from licenses.web import (
    adding_many,
    assigning,
    claiming,
    companies,
    devices,
    home,
    imports,
    keys,
    places,
    projects,
    searching,
    statements,
    transfers,
)

urlpatterns = [
    path("", home.overview, name="home"),
    path("search", searching.search, name="search"),
    path("activate", keys.activate, name="activate"),
    path("activations/<uuid:act_id>", keys.activation_made, name="activation"),
    path("companies/<int:company_id>", companies.company, name="company"),
    path("companies/<int:company_id>/transfer", transfers.transfer, name="transfer"),
    path("projects/<int:project_id>", projects.project, name="project"),
    path("projects/<int:project_id>/devices", projects.add_device, name="project-add-device"),
    path("projects/<int:project_id>/devices/many", adding_many.add_many, name="project-add-many"),
    path("projects/<int:project_id>/assign", assigning.assign_many, name="project-assign"),
    path("projects/<int:project_id>/claim", claiming.claim, name="claim"),
    path("projects/<int:project_id>/claim/file", claiming.hand_in, name="claim-file"),
    path("devices/<str:hardware_id>", devices.device, name="device"),
    path("devices/<str:hardware_id>/assign", devices.assign, name="device-assign"),
    path("devices/<str:hardware_id>/undo/<str:grant_id>", devices.undo, name="device-undo"),
    path("devices/<str:hardware_id>/download", devices.download, name="device-download"),
    path("devices/<str:hardware_id>/upload", statements.upload, name="device-upload"),
    path("devices/<str:hardware_id>/returns/<str:jti>", statements.returned, name="device-return"),
    path("devices/<str:hardware_id>/project", places.change_project, name="device-project"),
    path("devices/<str:hardware_id>/release", places.release, name="device-release"),
    path("projects/<int:project_id>/archive", places.archive, name="project-archive"),
    path("projects/<int:project_id>/unarchive", places.unarchive, name="project-unarchive"),
    path("companies/<int:company_id>/imports", imports.imports, name="company-imports"),
    path("companies/<int:company_id>/imports/<int:import_id>", imports.one_import, name="company-import"),
    path(
        "companies/<int:company_id>/imports/<int:import_id>/withdraw",
        imports.withdraw,
        name="company-import-withdraw",
    ),
]
