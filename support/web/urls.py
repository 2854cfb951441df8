"""The addresses of the console itself: search, one page for each thing, the customer's view, the audit."""

from django.urls import path

from support.web import audit, blocked, condition, hand_overs, home, subjects, viewing

urlpatterns = [
    path("", home.home, name="staff"),
    path("devices/<str:hardware_id>", subjects.device, name="staff-device"),
    path("devices/<str:hardware_id>/hand-over", hand_overs.choose, name="staff-hand-over"),
    path(
        "devices/<str:hardware_id>/hand-over/<int:project_id>",
        hand_overs.hand_over,
        name="staff-hand-over-to",
    ),
    path("companies/<int:company_id>", subjects.company, name="staff-company"),
    path("companies/<int:company_id>/view", viewing.begin, name="staff-view"),
    path("view/leave", viewing.leave, name="staff-view-leave"),
    path("keys/<int:key_id>", subjects.key, name="staff-key"),
    path("people/<int:user_id>", subjects.one_person, name="staff-person"),
    path("blocks", blocked.blocks, name="staff-blocks"),
    path("status", condition.status, name="staff-status"),
    path("audit", audit.audit, name="staff-audit"),
    path("audit/export", audit.export, name="staff-audit-export"),
]
