"""TLS to an engine: which authority to trust, which certificate to show."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

from dockerkit import errors

if TYPE_CHECKING:
    import requests

__all__ = ["TLSConfig"]


class TLSConfig:
    """How to speak TLS with an engine.

    The engine's certificate and name are verified unless ``verify=False`` says otherwise.

    Args:
        client_cert: paths of our certificate and of its key, both PEM: ``("cert.pem", "key.pem")``.
        ca_cert: path of the PEM file with the authorities to trust; the system's are trusted without one.
        verify: ``False`` accepts any certificate, which lets whoever sits between read and change everything;
            a path is the same as ``ca_cert``.
        context: a ready :class:`ssl.SSLContext`, used as it is; the arguments before it must then be left out.
        server_hostname: the name to expect in the engine's certificate, where it differs from the host in the address.

    Raises:
        TLSParameterError: a file is missing, or the arguments don't fit together.

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
        context: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> None:
        if context is not None and (client_cert or ca_cert or verify is not None):
            raise errors.TLSParameterError(
                "context: leave client_cert, ca_cert and verify out, the context says it all"
            )
        self.cert = _client_cert(client_cert)
        self.ca_cert = os.fspath(ca_cert) if ca_cert else None
        self.verify = verify
        self.server_hostname = server_hostname
        self._given = context
        self._made: ssl.SSLContext | None = None
        if self.verifies and self.authorities is not None and not os.path.exists(self.authorities):
            raise errors.TLSParameterError(f"ca_cert: no such file: {self.authorities}")

    @property
    def verifies(self) -> bool:
        """Whether the engine's certificate is checked."""
        if self._given is not None:
            return self._given.verify_mode == ssl.CERT_REQUIRED
        return self.verify is None or bool(self.verify)

    @property
    def authorities(self) -> str | None:
        """Path of the authorities to trust; None stands for the system's."""
        if self.ca_cert:
            return self.ca_cert
        return self.verify if isinstance(self.verify, str) else None

    def ssl_context(self) -> ssl.SSLContext:
        """The context for :mod:`ssl`: made once, then kept.

        Raises:
            TLSParameterError: a file can't be read, is no PEM, or certificate and key don't belong together.
        """
        if self._given is not None:
            return self._given
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
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
        def locked() -> str:  # without it OpenSSL would ask on the terminal, and wait
            raise errors.TLSParameterError(
                f"client_cert: the key {key} is protected by a password; use one that is not"
            )

        try:
            context.load_cert_chain(cert, key, password=locked)
        except (OSError, ssl.SSLError) as error:
            why = "they don't belong together" if "KEY_VALUES_MISMATCH" in str(error) else str(error)
            raise errors.TLSParameterError(f"client_cert: {cert} and {key} can't be used: {why}") from error

    def configure_client(self, client: requests.Session) -> None:
        """Set ``verify`` and ``cert`` of a requests session, as docker-py's method of this name does."""
        client.verify = self.verifies and (self.authorities or True)
        if self.cert is not None:
            client.cert = self.cert

    def _facts(self) -> tuple[object, ...]:
        return self.cert, self.ca_cert, self.verify, self.server_hostname, self._given

    def __eq__(self, other: object) -> bool:
        return self._facts() == other._facts() if isinstance(other, TLSConfig) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        own = ", own context" if self._given is not None else ""
        return f"TLSConfig(client_cert={self.cert!r}, ca_cert={self.ca_cert!r}, verify={self.verify!r}{own})"

    def __getstate__(self) -> dict[str, object]:
        if self._given is not None:
            raise TypeError("a TLSConfig made from an ssl.SSLContext can't be pickled; give it files instead")
        return {**self.__dict__, "_made": None}


def _client_cert(given: tuple[str, str] | None) -> tuple[str, str] | None:
    if not given:
        return None
    if isinstance(given, str) or len(given) != 2 or not all(given):
        raise errors.TLSParameterError(
            "client_cert: give two paths, the certificate and its key: ('cert.pem', 'key.pem')"
        )
    cert, key = (os.fspath(path) for path in given)
    for path in (cert, key):
        if not os.path.isfile(path):
            raise errors.TLSParameterError(f"client_cert: no such file: {path}")
    return cert, key
