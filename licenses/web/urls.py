"""The addresses of keys, balances, projects and devices in the browser."""

from django.urls import path

from licenses.web import claiming, companies, devices, home, keys, projects, statements, transfers

urlpatterns = [
    path("", home.overview, name="home"),
    path("activate", keys.activate, name="activate"),
    path("activations/<uuid:act_id>", keys.activation_made, name="activation"),
    path("companies/<int:company_id>", companies.company, name="company"),
    path("companies/<int:company_id>/transfer", transfers.transfer, name="transfer"),
    path("projects/<int:project_id>", projects.project, name="project"),
    path("projects/<int:project_id>/devices", projects.add_device, name="project-add-device"),
    path("projects/<int:project_id>/claim", claiming.claim, name="claim"),
    path("projects/<int:project_id>/claim/file", claiming.hand_in, name="claim-file"),
    path("devices/<str:hardware_id>", devices.device, name="device"),
    path("devices/<str:hardware_id>/assign", devices.assign, name="device-assign"),
    path("devices/<str:hardware_id>/undo/<str:grant_id>", devices.undo, name="device-undo"),
    path("devices/<str:hardware_id>/download", devices.download, name="device-download"),
    path("devices/<str:hardware_id>/upload", statements.upload, name="device-upload"),
    path("devices/<str:hardware_id>/returns/<str:jti>", statements.returned, name="device-return"),
]
