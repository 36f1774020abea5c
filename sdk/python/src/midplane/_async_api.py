"""Types of the host API in asynchronous plugins: the methods of ``_api.py``, each awaited. Nothing here runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Awaitable, List, Mapping, Optional, Protocol

from ._api import Bytes, HttpReply


class State(Protocol):
    """The plugin's own storage."""

    def get(self, key: str) -> Awaitable[Optional[bytes]]: ...
    def get_json(self, key: str) -> Awaitable[Any]: ...
    def set(self, key: str, value: Bytes, ttl: Optional[float] = None) -> Awaitable[None]: ...
    def set_json(self, key: str, value: Any, ttl: Optional[float] = None) -> Awaitable[None]: ...
    def compare_and_set(
        self, key: str, expected: Optional[Bytes], value: Bytes, ttl: Optional[float] = None
    ) -> Awaitable[bool]: ...
    def delete(self, key: str) -> Awaitable[None]: ...
    def list(self, prefix: str = "") -> Awaitable[List[str]]: ...


class Bus(Protocol):
    """Events."""

    def publish(
        self, topic: str, data: Any = None, content_type: Optional[str] = None, retain: bool = False
    ) -> Awaitable[None]: ...
    def request(
        self,
        topic: str,
        data: Any = None,
        deadline: Optional[float] = None,
        raw: bool = False,
        content_type: Optional[str] = None,
    ) -> Awaitable[Any]: ...
    def subscribe(
        self, topic: str, group: Optional[str] = None, filter: Optional[Mapping[str, Any]] = None
    ) -> Awaitable[None]: ...
    def unsubscribe(self, topic: str) -> Awaitable[None]: ...


class Services(Protocol):
    """Services by interface."""

    def find(self, interface: str, range: Optional[str] = None) -> Awaitable[List[Any]]: ...
    def call(
        self,
        interface: str,
        action: str,
        input: Any = None,
        range: Optional[str] = None,
        deadline: Optional[float] = None,
        raw: bool = False,
    ) -> Awaitable[Any]: ...


class Http(Protocol):
    """The web."""

    def fetch(
        self,
        url: str,
        method: str = "GET",
        headers: Optional[Mapping[str, str]] = None,
        body: Optional[Bytes] = None,
    ) -> Awaitable[HttpReply]: ...


class Metrics(Protocol):
    """Numbers for the operator."""

    def count(self, name: str, value: float = 1, labels: Optional[Mapping[str, str]] = None) -> Awaitable[None]: ...
    def gauge(self, name: str, value: float, labels: Optional[Mapping[str, str]] = None) -> Awaitable[None]: ...
    def observe(self, name: str, value: float, labels: Optional[Mapping[str, str]] = None) -> Awaitable[None]: ...


class Secrets(Protocol):
    """Secrets."""

    def get(self, name: str) -> Awaitable[str]: ...


class Time(Protocol):
    """The host's clocks."""

    def now(self) -> Awaitable[datetime]: ...
    def monotonic(self) -> Awaitable[int]: ...
