"""Addresses under /api/v1/: products, balances, devices, keys."""

from django.urls import path

from licenses.api import (
    balances,
    companies,
    device_projects,
    devices,
    evidence,
    keys,
    moves,
    records,
    statements,
    trials,
)

urlpatterns = [
    path("products", balances.Products.as_view(), name="api-products"),
    path("companies/<int:company_id>/balance", balances.CompanyBalance.as_view(), name="api-company-balance"),
    path("projects/<int:project_id>/balance", balances.ProjectBalance.as_view(), name="api-project-balance"),
    path("transfers", balances.Transfers.as_view(), name="api-transfers"),
    path("projects/<int:project_id>/devices", devices.ProjectDevices.as_view(), name="api-project-devices"),
    path("devices/<str:hardware_id>", devices.OneDevice.as_view(), name="api-device"),
    path(
        "devices/<str:hardware_id>/assignments", devices.Assignments.as_view(), name="api-device-assignments"
    ),
    path(
        "devices/<str:hardware_id>/assignments/<str:grant>/undo",
        devices.AssignmentUndo.as_view(),
        name="api-assignment-undo",
    ),
    path(
        "devices/<str:hardware_id>/license-document",
        devices.LicenseDocument.as_view(),
        name="api-device-license-document",
    ),
    path(
        "devices/<str:hardware_id>/statements",
        statements.CarriedStatements.as_view(),
        name="api-device-statements",
    ),
    path(
        "projects/<int:project_id>/test-licenses",
        trials.ProjectTestLicenses.as_view(),
        name="api-project-test-licenses",
    ),
    path(
        "devices/<str:hardware_id>/test-license",
        trials.DeviceTestLicense.as_view(),
        name="api-test-license",
    ),
    path(
        "devices/<str:hardware_id>/test-license/change",
        trials.TestLicenseChange.as_view(),
        name="api-test-license-change",
    ),
    path(
        "devices/<str:hardware_id>/test-license/withdraw",
        trials.TestLicenseWithdrawal.as_view(),
        name="api-test-license-withdraw",
    ),
    path(
        "devices/<str:hardware_id>/test-license/download",
        trials.TestLicenseDownload.as_view(),
        name="api-test-license-download",
    ),
    path("devices/<str:hardware_id>/moves", moves.DeviceMoves.as_view(), name="api-moves"),
    path("devices/<str:hardware_id>/moves/<int:move_id>", moves.DeviceMove.as_view(), name="api-move"),
    path(
        "devices/<str:hardware_id>/moves/<int:move_id>/replacement",
        moves.MoveReplacement.as_view(),
        name="api-move-replacement",
    ),
    path(
        "devices/<str:hardware_id>/moves/<int:move_id>/withdraw",
        moves.MoveWithdrawal.as_view(),
        name="api-move-withdraw",
    ),
    path(
        "devices/<str:hardware_id>/moves/<int:move_id>/evidence",
        evidence.MoveEvidence.as_view(),
        name="api-move-evidence",
    ),
    path("projects/<int:project_id>/claim-codes", statements.ClaimCodes.as_view(), name="api-claim-codes"),
    path("projects/<int:project_id>/claims", statements.CarriedClaims.as_view(), name="api-claims"),
    path("companies/<int:company_id>/keys", records.CompanyKeys.as_view(), name="api-company-keys"),
    path("companies/<int:company_id>/history", records.CompanyHistory.as_view(), name="api-company-history"),
    path("projects/<int:project_id>/history", records.ProjectHistory.as_view(), name="api-project-history"),
    path("devices/<str:hardware_id>/history", records.DeviceHistory.as_view(), name="api-device-history"),
    path(
        "devices/<str:hardware_id>/project",
        device_projects.DeviceProject.as_view(),
        name="api-device-project",
    ),
    path(
        "devices/<str:hardware_id>/release",
        device_projects.DeviceRelease.as_view(),
        name="api-device-release",
    ),
    path(
        "projects/<int:project_id>/archive", companies.ProjectArchiving.as_view(), name="api-project-archive"
    ),
    path(
        "projects/<int:project_id>/unarchive",
        companies.ProjectUnarchiving.as_view(),
        name="api-project-unarchive",
    ),
    path("companies/<int:company_id>/imports", companies.CompanyImports.as_view(), name="api-imports"),
    path(
        "companies/<int:company_id>/imports/<int:import_id>", companies.OneImport.as_view(), name="api-import"
    ),
    path(
        "companies/<int:company_id>/imports/<int:import_id>/consent",
        companies.ImportConsent.as_view(),
        name="api-import-consent",
    ),
    path(
        "companies/<int:company_id>/imports/<int:import_id>/refuse",
        companies.ImportRefusal.as_view(),
        name="api-import-refuse",
    ),
    path(
        "companies/<int:company_id>/imports/<int:import_id>/withdraw",
        companies.ImportWithdrawal.as_view(),
        name="api-import-withdraw",
    ),
    path("keys/look-up", keys.KeyLookUp.as_view(), name="api-key-look-up"),
    path("keys/activate", keys.KeyActivation.as_view(), name="api-key-activate"),
]
