"""The examples for containers: what can be said of them without a registry, a daemon or a cluster."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import announcers
from tests.lab.require import require

ROOT = Path(announcers.__file__).parents[1]
DEPLOY = ROOT / "announcers/deploy"
USER = 10001
ALIVE = ["hybridisco", "announce", "status", "--alive"]
_INSTRUCTIONS = {
    "FROM",
    "WORKDIR",
    "COPY",
    "RUN",
    "ENV",
    "USER",
    "VOLUME",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "ENTRYPOINT",
    "CMD",
}


# -- Dockerfile ---------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n", " ", "\n".join(lines))
    return [(line.split(maxsplit=1)[0], " ".join(line.split()[1:])) for line in whole.splitlines()]


def test_the_image_is_built_of_what_is_there() -> None:
    stages: set[str] = set()
    for name, rest in instructions():
        assert name in _INSTRUCTIONS
        words = rest.split()
        if name == "FROM":
            assert re.fullmatch(r"python:3\.\d+-slim", words[0])
            stages.update(words[2:])
        elif name == "COPY":
            source = words[0].partition("=")[2] if words[0].startswith("--from=") else None
            assert source is None or source in stages
            assert source is not None or all((ROOT / word).exists() for word in words[:-1])


def test_it_runs_as_nobody_in_particular_and_tells_how_it_is() -> None:
    last = dict(instructions())
    assert last["USER"] == f"{USER}:{USER}"
    assert f"--uid {USER} " in last["RUN"]
    assert last["HEALTHCHECK"].endswith('CMD ["' + '", "'.join(ALIVE) + '"]')
    assert (last["ENTRYPOINT"], last["CMD"]) == ('["hybridisco"]', '["announce"]')
    assert "HYBRIDISCO_STATE=/state" in last["ENV"]


# -- Compose ------------------------------------------------------------------------------------------


def test_compose_runs_it_in_the_hosts_network_and_says_why() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    service = yaml.safe_load(text)["services"]["hybridisco"]
    assert service["network_mode"] == "host"
    assert "ports" not in service  # Docker refuses them there
    assert (DEPLOY / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).is_file()
    assert service["restart"] == "unless-stopped"
    assert "/etc/machine-id:/etc/machine-id:ro" in service["volumes"]
    assert "Multicast does not leave a bridge" in text
    assert "172.17.0.x" in text


def test_compose_itself_accepts_it(tmp_path: Path) -> None:
    require(None if shutil.which("docker-compose") else "not installed: docker-compose (Debian: docker-compose)")
    argv = ["docker-compose", "--file", str(DEPLOY / "compose.yaml"), "config", "--quiet"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# -- Kubernetes ---------------------------------------------------------------------------------------


@pytest.fixture
def objects() -> dict[str, dict[str, Any]]:
    found = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
    return {each["kind"]: each for each in found}


def test_every_object_is_of_a_version_that_has_it(objects: dict[str, dict[str, Any]]) -> None:
    versions = {kind: each["apiVersion"] for kind, each in objects.items()}
    assert versions == {"Namespace": "v1", "ConfigMap": "v1", "DaemonSet": "apps/v1"}
    name = objects["Namespace"]["metadata"]["name"]
    assert {each["metadata"].get("namespace", name) for each in objects.values()} == {name}


def test_the_selector_finds_the_pods(objects: dict[str, dict[str, Any]]) -> None:
    spec = objects["DaemonSet"]["spec"]
    assert set(spec) <= {"selector", "template", "updateStrategy"}
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
    assert spec["selector"]["matchLabels"]


def test_the_pod_is_on_the_network_of_its_node(objects: dict[str, dict[str, Any]]) -> None:
    pod = objects["DaemonSet"]["spec"]["template"]["spec"]
    assert pod["hostNetwork"] is True
    assert pod["dnsPolicy"] == "ClusterFirstWithHostNet"
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]
    assert "restartPolicy" not in pod  # a DaemonSet's pods always restart


def test_every_mount_has_its_volume(objects: dict[str, dict[str, Any]]) -> None:
    pod = objects["DaemonSet"]["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = [mount for each in (*pod["containers"], *pod["initContainers"]) for mount in each["volumeMounts"]]
    assert {mount["name"] for mount in mounts} == set(volumes)
    assert volumes["config"]["configMap"]["name"] == objects["ConfigMap"]["metadata"]["name"]
    assert volumes["state"]["hostPath"]["type"] == "DirectoryOrCreate"


def test_no_container_may_more_than_it_must(objects: dict[str, dict[str, Any]]) -> None:
    pod = objects["DaemonSet"]["spec"]["template"]["spec"]
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, USER)
    for each in (*pod["containers"], *pod["initContainers"]):
        context = each["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"]["drop"] == ["ALL"]
        assert each["resources"]["limits"]["memory"]
    (main,) = pod["containers"]
    assert main["livenessProbe"]["exec"]["command"] == ALIVE
    assert {mount["mountPath"] for mount in main["volumeMounts"]} >= {"/state", "/config"}


def test_its_settings_are_right(objects: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    from hybridisco import load_config

    file = tmp_path / "config.toml"
    file.write_text(objects["ConfigMap"]["data"]["config.toml"])
    assert load_config(file).probe_hosts == ("localhost",)  # its own machine only
