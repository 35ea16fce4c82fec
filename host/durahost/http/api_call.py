"""A request to the management API, and what it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from durahost.codec.body_text import ContentType, read_content_type, read_text
from durahost.codec.dotnet_http import DotnetError
from durahost.codec.rest import Links
from durahost.http.errors import ApiFailure
from durahost.http.link_origin import link_origin
from durahost.http.requests import ApiQuery, HttpRequest
from durahost.http.status_bodies import StatusBodies
from durahost.management import Management
from durahost.model.ids import InstanceId
from durahost.registry import DurableKind, Registry

AZURE_STORAGE = "AzureStorage"
JSON_MEDIA_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """What the API knows of its app.

    links: hub, connection and key of the app as of now, with the origin that serves when a request
        has none.
    now: the app's time. registry: the functions served now. has_connection: whether a named
        connection can be resolved. provider: the storage provider's type, as the extension spells
        it. uses_app_lease: whether the app may ask to be primary.
    """

    links: Callable[[], Links]
    now: Callable[[], datetime]
    uses_forwarded_host: bool = False
    registry: Callable[[], Registry | None] = lambda: None
    has_connection: Callable[[str], bool] = lambda name: True
    provider: str = AZURE_STORAGE
    uses_app_lease: bool = True

    @property
    def has_app_leases(self) -> bool:
        """Whether the storage provider knows app leases; only Azure Storage does."""
        return self.provider == AZURE_STORAGE


@dataclass(slots=True)
class ApiCall:
    """One request, bound to the hub it names.

    arguments: the path's values. app: what the API knows of its app. own: the app's own links.
    bodies: statuses as they were shown last.
    """

    request: HttpRequest
    query: ApiQuery
    hub: Management
    arguments: tuple[str, ...]
    app: ApiSettings
    own: Links
    bodies: StatusBodies

    @property
    def location(self) -> str:
        """The address that the client asked for."""
        return (self.request.origin or self.own.origin) + self.request.target

    @property
    def instance_id(self) -> InstanceId:
        """The instance that the path names."""
        return InstanceId(self.arguments[0])

    @property
    def reason(self) -> str | None:
        """The reason given, None when there is none."""
        return self.query.get("reason")

    @property
    def text(self) -> str:
        """The body as text. Errors: ApiFailure for a charset that there is not."""
        try:
            return read_text(self.request.body, self.content_type)
        except DotnetError as error:
            raise ApiFailure(error.message, error.error_type) from error

    @property
    def content_type(self) -> ContentType | None:
        """The content type, None when it is missing or not well-formed."""
        return read_content_type(self.request.first_header("content-type"))

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON by name."""
        return self.content_type is not None and self.content_type.media_type == JSON_MEDIA_TYPE

    def moment(self, name: str) -> datetime | None:
        """A date-time of the query; None when it is none."""
        return self.query.moment(name, self.app.now())

    def links(self) -> Links:
        """What the client's links are made of. Errors: as `link_origin`."""
        app, own, query = self.app, self.own, self.query
        forwards = app.uses_forwarded_host
        return Links(
            origin=link_origin(self.request, own.origin, uses_forwarded_host=forwards),
            hub=query.hub or own.hub,
            connection=query.connection or own.connection,
            key=app.links().key,
        )

    def unknown_text(self, kind: DurableKind, name: str) -> str | None:
        """What is said of a durable function that the app does not have.

        None for one that it has, and for every name in a hub of others.
        """
        hub, connection = self.query.hub, self.query.connection
        if hub is not None and hub.lower() != self.own.hub.lower():
            return None
        if connection is not None and connection != self.own.connection:
            return None
        registry = self.app.registry()
        if registry is None or registry.knows(kind, name):
            return None
        return registry.unknown_text(kind, name)
