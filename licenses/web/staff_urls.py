"""The addresses of the staff pages about licenses."""

from django.urls import path

from licenses.web import corrections, key_blocking, staff_moves

urlpatterns = [
    path("corrections/<path:number>", corrections.correct, name="staff-order-correct"),
    path("keys/<int:key_id>/block", key_blocking.block, name="staff-key-block"),
    path("moves", staff_moves.moves, name="staff-moves"),
    path("moves/<int:move_id>", staff_moves.move, name="staff-move"),
    path("moves/<int:move_id>/evidence", staff_moves.evidence_file, name="staff-move-evidence"),
]
