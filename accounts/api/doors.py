"""What all REST doors share. Each parses, loads through queries, reads the clock, makes one call, renders."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Door(APIView):
    """A door under /api/v1/: answers are for the person who asked, so nothing on the way may keep them."""

    # No OPTIONS: what a door takes stands in the OpenAPI document, and only there.
    http_method_names = ["get", "head", "post"]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers.setdefault("Cache-Control", "no-store")
        return final
