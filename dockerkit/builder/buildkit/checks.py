"""Build checks: BuildKit's warnings about a Dockerfile, without building it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from dockerkit.builder.buildkit import grpc, messages
from dockerkit.builder.buildkit.control import Control, new_id
from dockerkit.builder.buildkit.failure import build_error, range_lines
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.builder.buildkit.running import session_of
from dockerkit.builder.buildkit.trace import BuildWarning, Trace
from dockerkit.errors import BuildError, BuildKitUnavailable
from dockerkit.progress import Progress

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient
    from dockerkit.builder.buildkit.options import BuildRequest
    from dockerkit.builder.buildkit.remote import BuildKitHost

__all__ = ["check_build"]

_REQUEST = {"requestid": "frontend.lint", "frontend.caps": "moby.buildkit.frontend.subrequests"}


def check_build(api: APIClient, plan: BuildRequest, remote: BuildKitHost | None = None) -> list[BuildWarning]:
    """Run the checks of the Dockerfile frontend."""
    with ExitStack() as stack:
        control = Control(api, remote)
        stack.callback(control.close)
        plan.check(control.engine())
        session = session_of(api, plan)
        stack.callback(session.open(control).close)
        # A solve without a frontend waits for calls of the gateway service, which is how metadata can be read. It is
        # cancelled afterwards, not returned to: a return without an image makes Engine 28.5 panic.
        reference = new_id()
        solve = control.call("Solve")
        stack.callback(solve.cancel)
        solve.request(messages.SolveRequest(ref=reference, session=session.id, internal=True))
        gateway = control.channel.call(
            "/moby.buildkit.v1.frontend.LLBBridge/Solve", [("buildkit-controlapi-buildid", reference)]
        )
        stack.callback(gateway.cancel)
        request = messages.GatewayRequest(
            frontend="dockerfile.v0", frontend_attrs={**plan.attrs, **_REQUEST}, allow_result_return=True
        )
        try:
            response = gateway.unary(request, "GatewayResponse", plan.timeout)
        except GrpcError as error:
            if "unsupported request" in error.message or error.status == grpc.UNIMPLEMENTED:
                raise BuildKitUnavailable("check: this BuildKit has no build checks; they require Engine 27") from error
            raise build_error(error, Trace(Progress("")), plan.source, []) from error
        return _warnings(bytes(response.result.metadata.get("result.json", b"")), plan)


def _warnings(content: bytes, plan: BuildRequest) -> list[BuildWarning]:
    try:
        report: dict[str, Any] = json.loads(content)
    except ValueError:
        raise BuildError(f"the checks returned no JSON: {content[:200]!r}") from None
    name = plan.source.name
    if failure := report.get("buildError"):
        raise BuildError(str(failure.get("message")), dockerfile=name, lines=range_lines(failure.get("location")))
    return [
        BuildWarning(
            f"{item['ruleName']}: {item.get('detail') or item.get('description')}",
            item.get("description") or "",
            item.get("url") or "",
            name,
            tuple(range_lines(item.get("location"))),
        )
        for item in report.get("warnings") or ()
    ]
