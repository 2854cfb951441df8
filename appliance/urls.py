"""The addresses of the device's pages."""

from django.urls import path

from appliance import inspection_views, object_views, portal_views, sign_in, views

urlpatterns = [
    path("", views.general_license, name="license"),
    path("fetch", views.fetch_licenses, name="fetch"),
    path("install", views.install_file, name="install"),
    path("reset", views.reset, name="reset"),
    path("delete", views.confirm_deletion, name="confirm-deletion"),
    path("delete/confirmed", views.delete, name="delete"),
    path("test-mode", views.test_mode, name="test-mode"),
    path("licenses.lic", views.download, name="download"),
    path("return", portal_views.confirm_return, name="confirm-return"),
    path("return/confirmed", portal_views.return_licenses, name="return"),
    path("return/send", portal_views.send_waiting_return, name="send-return"),
    path("return.jws", portal_views.download_return, name="download-return"),
    path("acknowledge", portal_views.tell_portal, name="acknowledge"),
    path("claim", portal_views.claim_device, name="claim"),
    path("certificate", inspection_views.certificate, name="certificate"),
    path("certificate/chain.pem", inspection_views.download_certificate, name="download-certificate"),
    path("gateway", inspection_views.gateway, name="gateway"),
    path("pbx", inspection_views.pbx, name="pbx"),
    path("check-up", inspection_views.check_up_page, name="check-up"),
    path("pbx/objects", object_views.objects, name="objects"),
    path("pbx/objects/add", object_views.add_user, name="add-user"),
    path("pbx/objects/<int:object_id>", object_views.user, name="user"),
    path("pbx/objects/<int:object_id>/license", object_views.user_license, name="user-license"),
    path("pbx/objects/<int:object_id>/change", object_views.change_user, name="change-user"),
    path("pbx/objects/<int:object_id>/mark", object_views.mark_user, name="mark-user"),
    path("pbx/objects/<int:object_id>/delete", object_views.delete_user, name="delete-user"),
    path("pbx/templates", object_views.templates, name="templates"),
    path("pbx/templates/add", object_views.add_template, name="add-template"),
    path("pbx/templates/<int:object_id>", object_views.template, name="template"),
    path("pbx/templates/<int:object_id>/change", object_views.change_template, name="change-template"),
    path("pbx/templates/<int:object_id>/delete", object_views.delete_template, name="delete-template"),
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
]
