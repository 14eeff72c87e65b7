# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a manifest needs, and which manifests are refused."""

from __future__ import annotations

import json

import pytest
from ansible_collections.palier.aws.plugins.module_utils import registry_manifest
from ansible_collections.palier.aws.plugins.module_utils.registry_manifest import Blob, ManifestError
from hypothesis import given
from hypothesis import strategies as st

OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
A, B, C = ("sha256:" + letter * 64 for letter in "abc")


def parse(document, content_type=OCI):
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return registry_manifest.parse(raw, content_type, registry_manifest.digest_of(raw))


def entry(digest, size=5, **more):
    return {"digest": digest, "size": size, **more}


def test_an_image_needs_config_and_layers_each_once():
    manifest = parse({"schemaVersion": 2, "config": entry(A, 1), "layers": [entry(B), entry(C), entry(B)]})
    assert manifest.blobs == (Blob(A, 1), Blob(B, 5), Blob(C, 5))
    assert manifest.children == ()
    assert manifest.media_type == OCI


def test_an_index_needs_its_images():
    manifest = parse(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(A), entry(B), entry(A)]}, "text/plain"
    )
    assert (manifest.children, manifest.blobs, manifest.media_type) == ((A, B), (), INDEX)


def test_layers_outside_registries_are_left_out():
    assert parse({"config": entry(A), "layers": [entry(B, urls=["https://example.com/b"])]}).blobs == (Blob(A, 5),)


def test_the_bytes_stay_as_they_are():
    raw = b'{\n   "schemaVersion": 2,\n   "layers": []\n}\n'
    assert parse(raw).raw == raw


def test_other_bytes_than_asked_for_are_refused():
    with pytest.raises(ManifestError, match="hash to sha256:"):
        registry_manifest.parse(b"{}", OCI, A)


@pytest.mark.parametrize(
    ("document", "content_type", "words"),
    [
        ({"schemaVersion": 1, "fsLayers": []}, "application/json", "schema 1.*tags_exclude"),
        ({"schemaVersion": 2}, "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1"),
        ({"schemaVersion": 2}, "text/html", "unknown type, 'text/html'"),
        (b"<html>", OCI, "not JSON"),
        ([], OCI, "not a JSON object"),
        ({"layers": [{"digest": A}]}, OCI, "without digest and size"),
        ({"layers": [7]}, OCI, "without digest and size"),
        ({"layers": 7}, OCI, "without digest and size"),
        ({"layers": [entry("sha512:" + "a" * 128)]}, OCI, "cannot hold"),
        ({"layers": [entry("../../etc/passwd")]}, OCI, "cannot hold"),
        ({"layers": [entry(A + "?x")]}, OCI, "cannot hold"),
        ({"layers": [entry(A, -1)]}, OCI, "cannot hold"),
        ({"mediaType": INDEX, "manifests": [{}]}, OCI, "without digest and size"),
    ],
)
def test_what_cannot_be_copied_is_refused_with_a_reason(document, content_type, words):
    with pytest.raises(ManifestError, match=words):
        parse(document, content_type)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["digest", "size", "urls", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["config", "layers", "manifests", "blobs", "mediaType"]), JSON, max_size=4))
def test_no_document_raises_anything_else(document):
    try:
        manifest = parse(document)
    except ManifestError:
        return
    assert all(blob.size >= 0 for blob in manifest.blobs)
