"""The fake engine's images."""

from __future__ import annotations

import io
import json
import tarfile
import time
from typing import Any

from dockerkit.testing.fake_engine.fakes import image_names
from dockerkit.testing.fake_engine.route_files import tar_of
from dockerkit.testing.fake_engine.routes import Records, Refused, Reply, RouteContext, matches_labels, route


def _summary(call: RouteContext, image: dict[str, Any]) -> dict[str, Any]:
    users = sum(container.image == image["Id"] for container in call.engine.containers.values())
    return {
        "Id": image["Id"],
        "ParentId": "",
        "RepoTags": image["RepoTags"] or ["<none>:<none>"],
        "RepoDigests": [],
        "Created": int(time.time()),
        "Size": image["Size"],
        "SharedSize": -1,
        "Containers": users,
        "Labels": image["Config"].get("Labels") or {},
    }


@route("GET", "/images/json")
def list_images(call: RouteContext) -> list[dict[str, Any]]:
    references = [name for reference in call.filters.get("reference", []) for name in image_names(reference)]
    return [
        _summary(call, image)
        for image in call.engine.images.values()
        if matches_labels(image["Config"].get("Labels") or {}, call.filters.get("label", []))
        and (not references or any(r in (t, t.partition(":")[0]) for r in references for t in image["RepoTags"]))
        and ("dangling" not in call.filters or (call.filters["dangling"] == ["true"]) is not bool(image["RepoTags"]))
    ]


@route("POST", "/images/create")
def pull(call: RouteContext) -> Records:
    source = call.request.param("fromImage")
    tag = call.request.param("tag")
    if not source:
        name = call.request.param("repo") or "imported"
        return Records([{"status": call.engine.add_image(f"{name}:{tag or 'latest'}")}])
    name = source if not tag else f"{source}@{tag}" if ":" in tag else f"{source}:{tag}"
    name = image_names(name)[0]
    if not call.engine.may_pull(name):
        if call.engine.lean:
            raise Refused(404, f'failed to resolve reference "{name}": {name}: not found')
        raise Refused(404, f"pull access denied for {source}, repository does not exist or may require 'docker login'")
    exists = any(name in image["RepoTags"] for image in call.engine.images.values())
    if not exists:
        call.engine.add_image(name)
    call.engine.event("image", "pull", name, {"name": name})
    layer = {"status": "Pull complete", "id": "0123456789ab", "progressDetail": {}}
    end = {"status": f"Status: {'Image is up to date' if exists else 'Downloaded newer image'} for {name}"}
    return Records([{"status": f"Pulling from {source}", "id": tag or "latest"}, *([] if exists else [layer]), end])


@route("GET", "/images/{name}/json")
def inspect(call: RouteContext) -> dict[str, Any]:
    details = dict(call.engine.image(call.id))
    if call.engine.lean:
        details.pop("Parent", None)
        details["Config"] = {name: value for name, value in details["Config"].items() if value}
        details["Descriptor"] = {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": details["Id"],
            "size": 405,
        }
    return details


@route("GET", "/images/{name}/attestations")
def attestations(call: RouteContext) -> list[dict[str, Any]]:
    call.engine.image(call.id)
    return []


def _archive(images: list[dict[str, Any]]) -> Reply:
    """Return an archive of the names and configurations only: there are no layers."""
    manifest = [{"Config": f"{image['Id'][7:]}.json", "RepoTags": image["RepoTags"], "Layers": []} for image in images]
    members = {f"{image['Id'][7:]}.json": json.dumps({"config": image["Config"]}).encode() for image in images}
    data = tar_of({**members, "manifest.json": json.dumps(manifest).encode()})
    return Reply(200, data, {"Content-Type": "application/x-tar"})


@route("GET", "/images/get")
def save_several(call: RouteContext) -> Reply:
    names = ",".join(call.request.query.get("names", []))
    return _archive([call.engine.image(name) for name in names.split(",") if names])


@route("GET", "/images/{name}/get")
def save(call: RouteContext) -> Reply:
    return _archive([call.engine.image(call.id)])


@route("POST", "/images/load")
def load(call: RouteContext) -> Records:
    try:
        with tarfile.open(fileobj=io.BytesIO(call.request.body)) as archive:
            content = archive.extractfile("manifest.json")
            names = [name for item in json.loads(content.read() if content else b"[]") for name in item["RepoTags"]]
    except (tarfile.TarError, KeyError, ValueError):
        raise Refused(400, "the archive holds no images") from None
    for name in names:
        call.engine.add_image(name)
    return Records({"stream": f"Loaded image: {name}\n"} for name in names)


@route("GET", "/images/{name}/history")
def history(call: RouteContext) -> list[dict[str, Any]]:
    image = call.engine.image(call.id)
    return [{"Id": image["Id"], "Created": 0, "CreatedBy": "", "Tags": image["RepoTags"], "Size": 0, "Comment": ""}]


@route("POST", "/images/{name}/tag")
def tag(call: RouteContext) -> int:
    name = image_names(f"{call.request.param('repo')}:{call.request.param('tag') or 'latest'}")[0]
    image = call.engine.image(call.id)
    for other in call.engine.images.values():
        if name in other["RepoTags"]:
            other["RepoTags"].remove(name)
    image["RepoTags"].append(name)
    call.engine.event("image", "tag", image["Id"], {"name": name})
    return 201


@route("POST", "/images/{name}/push")
def push(call: RouteContext) -> Records:
    name = call.request.param("tag") or "latest"
    try:
        image = call.engine.image(f"{call.id}:{name}")
    except Refused:
        raise Refused(404, f"An image does not exist locally with the tag: {call.id}") from None
    records = Records()
    records.append({"status": f"The push refers to repository [{call.id}]"})
    records.append({"status": "Pushed", "id": image["Id"][7:19], "progressDetail": {}})
    records.append({"status": f"{name}: digest: {image['Id']} size: 405"})
    if not call.engine.lean:
        records.append({"progressDetail": {}, "aux": {"Tag": name, "Digest": image["Id"], "Size": image["Size"]}})
    return records


@route("DELETE", "/images/{name}")
def remove(call: RouteContext) -> list[dict[str, str]]:
    engine = call.engine
    image = engine.image(call.id)
    names = [name for name in image_names(call.id) if name in image["RepoTags"]]
    if names and len(image["RepoTags"]) > 1:
        image["RepoTags"].remove(names[0])
        return [{"Untagged": names[0]}]
    users = [container for container in engine.containers.values() if container.image == image["Id"]]
    if users and not call.request.flag("force"):
        raise Refused(409, f"conflict: unable to remove {call.id}: image is being used by container {users[0].id[:12]}")
    del engine.images[image["Id"]]
    engine.event("image", "delete", image["Id"], {"name": call.id})
    return [*({"Untagged": name} for name in image["RepoTags"]), {"Deleted": image["Id"]}]


@route("POST", "/images/prune")
def prune(call: RouteContext) -> dict[str, Any]:
    images = call.engine.images
    used = {container.image for container in call.engine.containers.values()}
    include_tagged = call.filters.get("dangling") in (["false"], ["0"])
    removed = [key for key, image in images.items() if key not in used and (include_tagged or not image["RepoTags"])]
    deleted = [{"Deleted": images.pop(key)["Id"]} for key in removed]
    return {"ImagesDeleted": deleted or None, "SpaceReclaimed": 0}


@route("POST", "/build")
def build(call: RouteContext) -> Records:
    """Build an image. The Dockerfile is parsed but not executed: its LABEL, CMD and ENV lines have no effect."""
    dockerfile = call.request.param("dockerfile") or "Dockerfile"
    try:
        with tarfile.open(fileobj=io.BytesIO(call.request.body)) as archive:
            content = archive.extractfile(dockerfile)
            lines = content.read().decode("utf-8", "replace").split("\n") if content else []
    except (tarfile.TarError, KeyError):
        raise Refused(400, f"Cannot locate specified Dockerfile: {dockerfile}") from None
    steps = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    labels = json.loads(call.request.param("labels") or "{}")
    image_id = ""
    for name in call.request.query.get("t", []) or [f"built-{call.engine.new_id()[:8]}"]:
        image_id = call.engine.add_image(name, labels=labels)
    records = Records({"stream": f"Step {number}/{len(steps)} : {step}\n"} for number, step in enumerate(steps, 1))
    records.append({"aux": {"ID": image_id}})
    records.append({"stream": f"Successfully built {image_id[7:19]}\n"})
    return records


@route("POST", "/build/prune")
def prune_build(_: RouteContext) -> dict[str, Any]:
    return {"CachesDeleted": [], "SpaceReclaimed": 0}


@route("GET", "/distribution/{name}/json")
def distribution(call: RouteContext) -> dict[str, Any]:
    if not call.engine.may_pull(call.id):
        raise Refused(404, f"no manifest for {call.id}")
    digest = "sha256:" + "0" * 64
    descriptor = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": 1}
    return {"Descriptor": descriptor, "Platforms": [{"architecture": "amd64", "os": "linux"}]}
