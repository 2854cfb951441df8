"""The addresses of the staff pages about devices: what support has to look at, and whose word counts."""

from django.urls import path

from devices.web import alerts, blocks, new_keys, trust_anchors

urlpatterns = [
    path("alerts", alerts.alerts, name="staff-alerts"),
    path("alerts/<int:alert_id>", alerts.alert, name="staff-alert"),
    path("trust-anchors", trust_anchors.anchors, name="staff-anchors"),
    path("trust-anchors/add", trust_anchors.add, name="staff-anchor-add"),
    path("trust-anchors/<str:fingerprint>/remove", trust_anchors.remove, name="staff-anchor-remove"),
    path("devices/<str:hardware_id>/certificates/<str:key_hash>", new_keys.new_key, name="staff-new-key"),
    path("blocks/device", blocks.block_device, name="staff-block-device"),
    path("blocks/key", blocks.block_key, name="staff-block-key"),
    path("blocks/device/<str:hardware_id>", blocks.unblock_device, name="staff-unblock-device"),
    path("blocks/key/<str:key_hash>", blocks.unblock_key, name="staff-unblock-key"),
]
