"""What all REST doors share. Each parses, loads through queries, reads the clock, makes one call, renders."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import BEARER, PersonNeeded, ScopeMissing
from accounts.models import ApiToken


class Known(BasePermission):
    """Somebody signed in, or a program with a token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, ApiToken) or request.user.is_authenticated


class Door(APIView):
    """A door under /api/v1/: answers are for the one who asked, so nothing on the way may keep them.

    A token comes in where the method's `operation` names a scope, and the token has it; all other methods
    are for people alone.
    """

    # No OPTIONS: what a door takes stands in the OpenAPI document, and only there.
    http_method_names = ["get", "head", "post"]
    permission_classes = [Known]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """:raises PersonNeeded: a token came where only people may.
        :raises ScopeMissing: the token has not the scope of the operation.
        """
        super().initial(request, *args, **kwargs)
        token = request.auth
        method = str(request.method).lower()
        if not isinstance(token, ApiToken) or method not in self.http_method_names:
            return
        scope = getattr(getattr(self, method, None), "scope", None)
        if scope is None:
            raise PersonNeeded
        if scope not in token.granted:
            raise ScopeMissing(needed=scope)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers.setdefault("Cache-Control", "no-store")
        if final.status_code == 401:
            failed = "Authorization" in request.headers
            final.headers["WWW-Authenticate"] = f'{BEARER}, error="invalid_token"' if failed else BEARER
        return final
