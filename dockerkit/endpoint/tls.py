"""TLS configuration of an engine: trusted authorities and client certificate."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from dockerkit import errors
from dockerkit.parsing.values import local_path

if TYPE_CHECKING:
    import ssl

    import requests

__all__ = ["TLSConfig"]


class TLSConfig:
    """TLS configuration for an engine.

    The engine's certificate and host name are verified unless ``verify=False`` is passed.

    Args:
        client_cert: paths of the client certificate and its key, both PEM: ``("cert.pem", "key.pem")``.
        ca_cert: path of the PEM file with the authorities to trust; default: the system's.
        verify: ``False`` accepts any certificate, so that anyone on the network path can read and change everything;
            a path is equivalent to ``ca_cert``.
        context: existing :class:`ssl.SSLContext`, used unchanged; replaces the arguments before it. Or a function that
            takes the protocol to offer by ALPN and returns one: "http/1.1" for the Engine API, "h2" for BuildKit where it
            has no other connection.
        server_hostname: expected name in the engine's certificate, if it differs from the host in the address.

    Raises:
        TLSParameterError: a file is missing, or the arguments contradict each other.

    Example::

        tls = TLSConfig(client_cert=("cert.pem", "key.pem"), ca_cert="ca.pem", verify=True)
        client = DockerClient("tcp://build-host:2376", tls=tls)
    """

    cert: tuple[str, str] | None = None
    ca_cert: str | None = None
    verify: bool | str | None = None

    def __init__(
        self,
        client_cert: tuple[str, str] | None = None,
        ca_cert: str | None = None,
        verify: bool | str | None = None,
        *,
        context: ssl.SSLContext | Callable[[str], ssl.SSLContext] | None = None,
        server_hostname: str | None = None,
    ) -> None:
        if context is not None and (client_cert or ca_cert or verify is not None):
            raise errors.TLSParameterError("context: replaces client_cert, ca_cert and verify; omit these")
        if context is not None and not callable(context) and not hasattr(context, "wrap_socket"):
            raise errors.TLSParameterError(f"context: must be an ssl.SSLContext or a function, got {context!r:.200}")
        self.cert = _client_cert(client_cert)
        self.ca_cert = local_path(ca_cert, "ca_cert") if ca_cert else None
        self.verify = verify
        self.server_hostname = server_hostname
        self._custom_context = context
        self._contexts: dict[str, ssl.SSLContext] = {}
        if self.verifies and self.authorities is not None and not os.path.exists(self.authorities):
            raise errors.TLSParameterError(f"ca_cert: no such file: {self.authorities}")

    @property
    def verifies(self) -> bool:
        """Whether the engine's certificate is verified."""
        if self._custom_context is not None:
            import ssl

            return self.ssl_context().verify_mode == ssl.CERT_REQUIRED
        return self.verify is None or bool(self.verify)

    @property
    def authorities(self) -> str | None:
        """Path of the authorities to trust; None for the system's."""
        if self.ca_cert:
            return self.ca_cert
        return self.verify if isinstance(self.verify, str) else None

    def ssl_context(self, protocol: str = "http/1.1") -> ssl.SSLContext:
        """Return the :class:`ssl.SSLContext`, created on first use.

        Args:
            protocol: protocol to offer by ALPN; a context passed by the user is not changed.

        Raises:
            TLSParameterError: a file can't be read, is not PEM, or certificate and key don't match.
        """
        if self._custom_context is not None and not callable(self._custom_context):
            return self._custom_context
        if protocol not in self._contexts:
            self._contexts[protocol] = (
                self._custom_context(protocol) if self._custom_context is not None else self._create_context(protocol)
            )
        return self._contexts[protocol]

    def _create_context(self, protocol: str) -> ssl.SSLContext:
        import ssl  # imported lazily: takes a tenth of the time of a short plain-connection process

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([protocol])
        if not self.verifies:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.authorities is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        else:
            try:
                if os.path.isdir(self.authorities):
                    context.load_verify_locations(capath=self.authorities)
                else:
                    context.load_verify_locations(cafile=self.authorities)
            except (OSError, ssl.SSLError) as error:
                raise errors.TLSParameterError(
                    f"ca_cert: {self.authorities} can't be read as PEM certificates: {error}"
                ) from error
        if self.cert is not None:
            self._load_client_cert(context, *self.cert)
        return context

    @staticmethod
    def _load_client_cert(context: ssl.SSLContext, cert: str, key: str) -> None:
        import ssl

        def refuse_password() -> str:  # otherwise OpenSSL would prompt on the terminal and wait
            raise errors.TLSParameterError(
                f"client_cert: the key {key} is protected by a password; use a key without one"
            )

        try:
            context.load_cert_chain(cert, key, password=refuse_password)
        except (OSError, ssl.SSLError) as error:
            reason = "they don't match" if "KEY_VALUES_MISMATCH" in str(error) else str(error)
            raise errors.TLSParameterError(f"client_cert: {cert} and {key} can't be used: {reason}") from error

    def configure_client(self, client: requests.Session) -> None:
        """Set ``verify`` and ``cert`` of a requests session, as docker-py's method of this name does."""
        client.verify = self.verifies and (self.authorities or True)
        if self.cert is not None:
            client.cert = self.cert

    def _identity(self) -> tuple[object, ...]:
        return self.cert, self.ca_cert, self.verify, self.server_hostname, self._custom_context

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, TLSConfig) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        custom = ", custom context" if self._custom_context is not None else ""
        return f"TLSConfig(client_cert={self.cert!r}, ca_cert={self.ca_cert!r}, verify={self.verify!r}{custom})"

    def __getstate__(self) -> dict[str, object]:
        if self._custom_context is not None:
            raise TypeError("a TLSConfig made from an ssl.SSLContext can't be pickled; pass files instead")
        return {**self.__dict__, "_contexts": {}}


def _client_cert(paths: tuple[str, str] | None) -> tuple[str, str] | None:
    if not paths:
        return None
    pair = isinstance(paths, (tuple, list)) and len(paths) == 2
    if not pair or not all(isinstance(path, (str, os.PathLike)) and os.fspath(path) for path in paths):
        raise errors.TLSParameterError(
            "client_cert: must be two paths, the certificate and its key: ('cert.pem', 'key.pem')"
        )
    cert, key = (os.fspath(path) for path in paths)
    for path in (cert, key):
        if not os.path.isfile(path):
            raise errors.TLSParameterError(f"client_cert: no such file: {path}")
    return cert, key
