# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One side of an image sync: an ECR registry in a region, as seen with the user's credentials or a role."""

from __future__ import annotations

import contextlib
import os
import threading
import typing as t

try:
    import boto3
    from botocore.config import Config
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.session import get_session
except ImportError:  # AnsibleAWSModule has said so before anything here runs
    pass

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ecr_api as api
from ansible_collections.palier.aws.plugins.module_utils.ecr import Image, Listing
from ansible_collections.palier.aws.plugins.module_utils.registry_client import Pools, Registry, Token, TokenSource
from ansible_collections.palier.aws.plugins.module_utils.registry_manifest import (
    ACCEPT,
    Manifest,
    ManifestError,
    parse,
)

ACCEPTED = ACCEPT.split(", ")


class Connector:
    """Makes clients for several regions out of one session.

    Each session parses botocore's models again, which costs 10 MB and 80 ms, and ``module.client`` makes a session for
    each client.
    """

    def __init__(self, module: AnsibleAWSModule) -> None:
        """:param module: whose connection options count."""
        _region, self._endpoint, parameters = get_aws_connection_info(module)
        self._session = boto3.session.Session(profile_name=parameters.pop("profile_name", None))
        extra = Config(user_agent_extra="palier.aws", max_pool_connections=32)
        self._config = parameters.pop("aws_config", Config()).merge(extra)
        self._parameters = parameters
        self.verify = _verify(parameters.get("verify"))

    def client(self, service: str, region: str, role_arn: str | None = None) -> t.Any:
        """A client of a service.

        :param region: its region.
        :param role_arn: a role to take on; its credentials are renewed as long as the client is used.
        """
        if role_arn is None:
            return self._client(self._session, service, region, self._parameters)
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=lambda _service, **credentials: self._sts(region, credentials),
            source_credentials=self._session.get_credentials(),
            role_arn=role_arn,
            extra_args={"RoleSessionName": "palier-aws-image-sync"},
        )
        inner = get_session()
        # The models are parsed once for all sessions.
        inner.register_component("data_loader", self._session._session.get_component("data_loader"))
        inner._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        session = boto3.session.Session(botocore_session=inner)
        return self._client(session, service, region, {"verify": self._parameters.get("verify")})

    def _sts(self, region: str, credentials: dict[str, t.Any]) -> t.Any:
        given = {name: value for name, value in self._parameters.items() if value is not None}
        return self._client(self._session, "sts", region, {**credentials, **given})

    def _client(self, session: t.Any, service: str, region: str, parameters: dict[str, t.Any]) -> t.Any:
        return session.client(
            service, region_name=region, endpoint_url=self._endpoint, config=self._config, **parameters
        )


def _verify(verify: bool | str | None) -> bool | str:
    # botocore's own order: the option, then AWS_CA_BUNDLE, then the system's.
    if isinstance(verify, str) or verify is False:
        return verify
    return os.environ.get("AWS_CA_BUNDLE") or True


class Side:
    """A registry: its control plane and, once something is to be read or written, its HTTP API."""

    def __init__(self, client: t.Any, region: str, registry_id: str | None, pools: Pools) -> None:
        """:param client: an ECR client. :param registry_id: account, if not the caller's. :param pools: for HTTP."""
        self.region = region
        self.requests = 0
        self._client = client
        self._given = {"registryId": registry_id} if registry_id else {}
        self._pools = pools
        self._registry: Registry | None = None
        #: Whether DescribeImages says what an image refers to: it came together with the image's status.
        self.tells_subjects = False
        self._counting = threading.Lock()
        self._connecting = threading.Lock()
        client.meta.events.register("before-send.ecr", self._count)

    def _count(self, **_event: t.Any) -> None:
        with self._counting:
            self.requests += 1

    @property
    def registry(self) -> Registry:
        """The registry's HTTP API; its address comes with the first token."""
        with self._connecting:
            if self._registry is None:
                self._registry = self._connect()
            return self._registry

    @property
    def registry_requests(self) -> int:
        """HTTP requests to the registry so far."""
        return self._registry.requests if self._registry else 0

    def _connect(self) -> Registry:
        first = self._authorization()
        tokens = TokenSource(lambda: self._token(first.pop() if first else self._authorization().pop()))
        return Registry(first[0]["proxyEndpoint"], tokens, self._pools)

    def _authorization(self) -> list[dict[str, t.Any]]:
        ids = {"registryIds": [self._given["registryId"]]} if self._given else {}
        return [api.get_authorization_token(self._client, **ids)]

    @staticmethod
    def _token(data: dict[str, t.Any]) -> Token:
        return Token(data["authorizationToken"], data["expiresAt"].timestamp())

    def listing(self, repository: str) -> Listing:
        """What a repository holds."""
        images = api.describe_images(self._client, repositoryName=repository, **self._given)
        if images is None:
            return Listing(repository, exists=False)
        if any("imageStatus" in image or "subjectManifestDigest" in image for image in images):
            self.tells_subjects = True
        return Listing(repository, tuple(_image(image) for image in images))

    def describe(self, repositories: t.Sequence[str]) -> dict[str, dict[str, t.Any]]:
        """Settings of repositories as ECR gives them, by name."""
        found = {}
        for start in range(0, len(repositories), api.NAMES_A_CALL):
            names = list(repositories[start : start + api.NAMES_A_CALL])
            for described in api.describe_repositories(self._client, repositoryNames=names, **self._given):
                found[described["repositoryName"]] = described
        return found

    def tags(self, arn: str) -> dict[str, str]:
        """A repository's tags."""
        return {tag["Key"]: tag["Value"] for tag in api.list_tags(self._client, arn)}

    def lifecycle(self, repository: str) -> str | None:
        """A repository's lifecycle policy as JSON text."""
        return api.get_lifecycle_policy(self._client, repositoryName=repository, **self._given)

    def referrers(self, repository: str, subject: str) -> list[Image]:
        """Images that refer to an image, as far as botocore knows the call."""
        if not hasattr(self._client, "list_image_referrers"):
            return []
        found = api.list_image_referrers(
            self._client, repositoryName=repository, subjectId={"imageDigest": subject}, **self._given
        )
        return [Image(i["digest"], size=i["size"], media_type=i["mediaType"], subject=subject) for i in found]

    def manifests(self, repository: str, digests: t.Sequence[str]) -> list[Manifest]:
        """Manifests of many images with few calls; what cannot be had byte for byte this way is left out."""
        found = []
        for start in range(0, len(digests), api.IDS_A_CALL):
            ids = [{"imageDigest": digest} for digest in digests[start : start + api.IDS_A_CALL]]
            request = {"repositoryName": repository, "imageIds": ids, "acceptedMediaTypes": ACCEPTED, **self._given}
            for image in api.batch_get_image(self._client, **request):
                with contextlib.suppress(ManifestError):
                    raw, kind = image["imageManifest"].encode(), image.get("imageManifestMediaType", "")
                    found.append(parse(raw, kind, image["imageId"]["imageDigest"]))
        return found

    def create(self, request: dict[str, t.Any], lifecycle: str | None) -> None:
        """Create a repository."""
        api.create_repository(self._client, **request, **self._given)
        if lifecycle:
            name = request["repositoryName"]
            api.put_lifecycle_policy(self._client, repositoryName=name, lifecyclePolicyText=lifecycle, **self._given)

    def delete(self, repository: str, ids: t.Sequence[dict[str, str]]) -> list[dict[str, t.Any]]:
        """Remove images by tag or digest; what could not be removed comes back, what is gone already is fine."""
        failures = []
        for start in range(0, len(ids), api.IDS_A_CALL):
            batch = list(ids[start : start + api.IDS_A_CALL])
            failures += api.batch_delete_image(self._client, repositoryName=repository, imageIds=batch, **self._given)
        return [failure for failure in failures if failure.get("failureCode") != "ImageNotFound"]


def _image(described: dict[str, t.Any]) -> Image:
    return Image(
        digest=described["imageDigest"],
        tags=frozenset(described.get("imageTags") or ()),
        size=described.get("imageSizeInBytes", 0),
        media_type=described.get("imageManifestMediaType", ""),
        subject=described.get("subjectManifestDigest"),
        pushed_at=described.get("imagePushedAt"),
    )
