"""What stands in deploy/ and in the compose files names what there is, and asks for no more than it needs."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kubernetes_validate
import promql_parser
import pytest
import yaml
from prometheus_client import Metric

from monitor import config, gauges, telemetry
from monitor.engine.cluster import CONNECTIONS
from monitor.model import ArticleState, DeliveryState, Health, Kind
from monitor.ports import Counts, Role
from monitor.service import GRACE
from monitor.storage.engines import READERS, WRITERS
from tests.test_project import ROOT, docker_env

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yaml"
DASHBOARD = DEPLOY / "grafana" / "monitor.json"
KUBERNETES = DEPLOY / "kubernetes"
CLUSTER = KUBERNETES / "cluster"
PRODUCTION = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
VARIABLES = {"$__rate_interval": "5m", "$job": "monitor"}
NOW = datetime(2026, 8, 1, tzinfo=UTC)
COUNTS = Counts(
    feeds=dict.fromkeys(Health, 1),
    entries=1,
    articles={},
    stories=1,
    hits=1,
    deliveries=dict.fromkeys(DeliveryState, 1),
    oldest_waiting_at=NOW - timedelta(hours=1),
    due_feeds=1,
    last_poll_at=NOW,
    stories_held=1,
    notices=dict.fromkeys(DeliveryState, 1),
    pushed=1,
    uncertain=1,
)
"""Something of everything."""
OTHERS = {"up"}
"""Series that Prometheus itself makes."""


def family(metric: Metric) -> str:
    """A metric's name as the page of metrics says it."""
    return metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, "")


METRICS = {family(metric): metric for metric in telemetry.REGISTRY.collect()}


def labels_of(name: str) -> set[str]:
    """The labels that a metric is declared with."""
    if name == "monitor_build_info":
        return {"version", "database"}
    collector = telemetry.REGISTRY._names_to_collectors.get(name)  # none of what others collect
    return set(getattr(collector, "_labelnames", ()))


SERIES = {
    series: labels_of(name) | ({"le"} if series.endswith("_bucket") else set())
    for name, metric in METRICS.items()
    for series in (
        [f"{name}{end}" for end in ("_bucket", "_sum", "_count")]
        if metric.type == "histogram"
        else [name]
    )
}
"""Every series that may be asked for, and its labels."""


def selectors(query: str) -> Iterator[Any]:
    """Every series that a query asks for."""
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)

    def walk(node: Any) -> Iterator[Any]:
        if isinstance(node, promql_parser.VectorSelector):
            yield node
        elif isinstance(node, promql_parser.MatrixSelector):
            yield node.vector_selector
        elif isinstance(node, promql_parser.Call):
            for each in node.args:
                yield from walk(each)
        for name in ("expr", "lhs", "rhs"):
            if (below := getattr(node, name, None)) is not None:
                yield from walk(below)

    yield from walk(promql_parser.parse(query))


def panels() -> list[dict[str, Any]]:
    """The dashboard's."""
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    [group] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return group["rules"]


def queries() -> list[tuple[str, str]]:
    """Every query there is, with where it stands."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return [
        *(
            (panel["title"], each["expr"])
            for panel in panels()
            for each in panel.get("targets", ())
        ),
        *((each["name"], each["expr"]) for each in dashboard["annotations"]["list"]),
        *((rule["alert"], rule["expr"]) for rule in rules()),
    ]


VALUES = {
    "health": set(map(str, Health)),
    "state": {*map(str, DeliveryState), "queued", "running", "stalled"},
    "kind": {*map(str, Kind), "delivery", "notice", "read", "write"},
    "database": {"sqlite", "postgresql"},
    "reason": {"time", "memory", "died", "lost"},
    "outcome": {
        *map(str, ArticleState), "ok", "merged", "unchanged", "read", "not_modified", "sent", "updated",
        "found",
    },
}  # fmt: skip
"""Words that a query may ask a label for."""


@pytest.mark.parametrize(("where", "query"), queries())
def test_a_query_asks_for_what_there_is(where: str, query: str) -> None:
    """By the names of the program's own metrics, their labels, and what those can say."""
    found = list(selectors(query))
    assert found, where
    for selector in found:
        assert selector.name in SERIES.keys() | OTHERS, where
        for matcher in selector.matchers.matchers:
            known = SERIES.get(selector.name, set()) | {"job", "instance"}
            assert matcher.name in known, (where, matcher.name)
            if matcher.name in VALUES:
                assert set(matcher.value.split("|")) <= VALUES[matcher.name], (where, matcher.value)


def test_what_is_grouped_by_is_a_label_of_it() -> None:
    """`sum by (outcome)` of what has no outcome would be one line without a name."""
    for where, query in queries():
        names = {each.name for each in selectors(query)}
        known = {"job", "instance"}.union(*(SERIES.get(name, set()) for name in names))
        for listed in re.findall(r"\bby \(([^)]*)\)", query):
            assert {each.strip() for each in listed.split(",")} <= known, where


def test_a_ratio_of_histograms_has_their_buckets() -> None:
    """histogram_quantile without `le` says nothing."""
    for where, query in queries():
        if "histogram_quantile" in query:
            assert "_bucket" in query, where
            assert re.search(r"by \([^)]*\ble\b", query), where


def test_every_metric_is_on_the_dashboard() -> None:
    """Whatever is measured is shown somewhere."""
    shown = {selector.name for _, query in queries() for selector in selectors(query)}
    missing = {
        name
        for name, metric in METRICS.items()
        if not {name, f"{name}_bucket"} & shown and metric.type != "unknown"
    }
    assert missing == set()


def test_the_dashboard_can_be_drawn() -> None:
    """Ids once, nothing over another, a row for each question, every panel with a unit."""
    found = panels()
    assert len({panel["id"] for panel in found}) == len(found)
    titles = [panel["title"].split(":")[0] for panel in found if panel["type"] == "row"]
    assert titles == ["First", "Quiet", "Complete", "Safe", "Machine"]
    taken: set[tuple[int, int]] = set()
    for panel in found:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert [each["refId"] for each in panel["targets"]] == sorted(
                {each["refId"] for each in panel["targets"]}
            )


# --------------------------------------------------------------------------- alerts


def anchors(text: str) -> set[str]:
    """What a link may lead to in a document, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def test_every_alert_says_what_to_do() -> None:
    """A severity, a sentence, and a part of the document that names it."""
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        document, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert document == "docs/production.md"
        assert anchor in anchors(PRODUCTION), anchor
        assert f"`{rule['alert']}`" in PRODUCTION
    assert set(re.findall(r"`(Monitor[A-Z]\w+)`", PRODUCTION)) == set(names)


def of_one_process() -> set[str]:
    """Metrics that of many processes only the one that keeps the clock tells."""
    before = said()
    gauges.set_counts(COUNTS, NOW, is_stopped=True)
    telemetry.DATABASE_BYTES.set(1)
    counted = said()
    gauges.clear_counts()
    return {name for name, labels in counted if counted[name, labels] != before.get((name, labels))}


def said() -> dict[tuple[str, str], float]:
    """What every series says now."""
    return {
        (sample.name, str(sample.labels)): sample.value
        for metric in telemetry.REGISTRY.collect()
        for sample in metric.samples
        if metric.name.startswith("monitor_") and "_process_" not in metric.name
    }


def test_what_one_of_many_counts_is_asked_of_all_together() -> None:
    """By instance it never meets what others count, and is new whenever another keeps the clock."""
    gauges.clear_counts()
    mine = of_one_process()
    assert {"monitor_feeds", "monitor_outbox", "monitor_outbox_oldest_seconds"} <= mine
    asked = 0
    for where, query in queries():
        if mine & {each.name for each in selectors(query)}:
            assert "instance" not in query, where
            for name in mine:
                for found in re.finditer(rf"(\S*) ?(?:by \([^)]*\) )?\({name}\b", query):
                    assert found[1].rpartition("(")[2] in {"max", "sum"}, where
                    asked += 1
                assert len(re.findall(rf"\b{name}\b", query)) == len(
                    re.findall(rf"\({name}\b", query)
                ), where
    assert asked >= len(mine)


def test_who_counts_no_more_tells_nothing() -> None:
    """Else the largest of all is what was, not what is."""
    gauges.clear_counts()
    empty = said()
    mine = of_one_process()
    assert said() == empty
    assert len(mine) == 9


def test_every_process_is_scraped() -> None:
    """Whatever its role: by all names that the compose files have, and in every Deployment."""
    [job] = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))[
        "scrape_configs"
    ]
    names = {name for each in job["dns_sd_configs"] for name in each["names"]}
    ours = set()
    for file in ("compose.yaml", "compose.scale.yaml"):
        services = yaml.safe_load((ROOT / file).read_text("utf-8"))["services"]
        ours |= {name for name, each in services.items() if "monitor" in each["image"]}
    assert names == ours
    assert {each["port"] for each in job["dns_sd_configs"]} == {8080}
    path = KUBERNETES / "prometheus-operator" / "podmonitor.yaml"
    watch = yaml.safe_load(path.read_text("utf-8"))
    [endpoint] = watch["spec"]["podMetricsEndpoints"]
    wanted = watch["spec"]["selector"]["matchLabels"].items()
    pods = [manifests()["Deployment"]["spec"]["template"]]
    pods += [
        each["spec"]["template"]
        for each in yaml.safe_load_all((CLUSTER / "deployments.yaml").read_text("utf-8"))
    ]
    assert len(pods) == len(Role)
    for pod in pods:
        assert wanted <= pod["metadata"]["labels"].items()
        [container] = pod["spec"]["containers"]
        assert endpoint["port"] in {port["name"] for port in container["ports"]}


def test_the_operator_gets_the_same_rules() -> None:
    """One is written by hand, the other holds it in an envelope."""
    path = KUBERNETES / "prometheus-operator" / "prometheusrule.yaml"
    resource = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert (resource["kind"], resource["spec"]["groups"][0]["rules"]) == ("PrometheusRule", rules())


def test_every_metric_is_documented_in_the_program_s_own_words() -> None:
    """A table of all of them: name, labels, kind and help, as they are declared."""
    rows = re.findall(r"^\| `(monitor_\w+)`([^|]*)\| (\w+) \| (.*) \|$", PRODUCTION, re.MULTILINE)
    said = {
        name: (set(re.findall(r"`(\w+)`", labels)), kind, words)
        for name, labels, kind, words in rows
    }
    assert said == {
        name: (labels_of(name), metric.type, metric.documentation.rstrip("."))
        for name, metric in METRICS.items()
    }
    assert len(rows) == len(said)


def test_documents_name_no_metric_that_there_is_not() -> None:
    """Wherever a metric is spoken of."""
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        named = set(re.findall(r"`(monitor_[a-z_]+)", document.read_text(encoding="utf-8")))
        series = SERIES.keys() | METRICS.keys()
        assert {name for name in named if name not in series} - {"monitor_alert"} == set(), document


# --------------------------------------------------------------------------- Kubernetes


def manifests() -> dict[str, dict[str, Any]]:
    """Those of Kubernetes' own kinds, by kind."""
    found = {}
    for path in sorted(KUBERNETES.glob("*.yaml")):
        for each in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if each["kind"] != "Kustomization":
                found[each["kind"]] = each
    return found


@pytest.mark.parametrize("kind", sorted(manifests()))
def test_a_manifest_is_one_of_its_kind(kind: str) -> None:
    """Held against Kubernetes' own schemas: no key is misspelt, none of another type."""
    kubernetes_validate.validate(manifests()[kind], "1.30", strict=True)


def test_kustomize_finds_what_it_lists() -> None:
    """And lists what there is, but for the example of a secret."""
    for folder in (KUBERNETES, CLUSTER, KUBERNETES / "prometheus-operator"):
        listed = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
        there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert set(listed["resources"]) == there - {"secret.example.yaml"}
        for generator in listed.get("configMapGenerator", ()):
            assert all((folder / name).exists() for name in generator["files"])


def test_one_pod_that_may_do_nothing_else() -> None:
    """Never two on one SQLite file; the restricted standard; the folder of the configuration."""
    spec = manifests()["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    pod = spec["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= GRACE + 10
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    mounts = {each["mountPath"]: each for each in container["volumeMounts"]}
    assert mounts.keys() == {"/config", "/data", "/tmp"}
    assert "subPath" not in mounts["/config"], "an edit would never arrive"
    assert {each["name"] for each in mounts.values()} == {each["name"] for each in pod["volumes"]}
    paths = {
        name: container[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    assert paths == {"startup": "/readyz", "liveness": "/livez", "readiness": "/readyz"}


def test_what_the_pod_is_given_is_what_is_read() -> None:
    """Its variables, by their names; its configuration has no mistake."""
    [container] = manifests()["Deployment"]["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each.get("value", "") for each in container["env"]}
    env["MONITOR_WEB_TOKEN"] = "x" * 32
    settings = config.load(KUBERNETES / "feeds.toml", docker_env() | env)
    assert settings.warnings == ()
    service = manifests()["Service"]
    assert f"{service['metadata']['name']}.monitor.svc" in settings.web.hosts
    [port] = container["ports"]
    assert (port["containerPort"], service["spec"]["ports"][0]["targetPort"]) == (
        settings.web.port,
        port["name"],
    )


def test_the_pod_goes_out_to_the_web_alone() -> None:
    """No private address: what a feed redirects to is somebody else's wish."""
    egress = manifests()["NetworkPolicy"]["spec"]["egress"]
    blocks = [each["ipBlock"] for rule in egress for each in rule["to"] if "ipBlock" in each]
    assert {each["cidr"] for each in blocks} == {"0.0.0.0/0", "::/0"}
    kept = {cidr for each in blocks for cidr in each["except"]}
    assert kept >= {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}


# --------------------------------------------------------------------------- Kubernetes, many processes


@functools.cache
def of_cluster(kind: str) -> dict[str, dict[str, Any]]:
    """The cluster's manifests of a kind, by name."""
    return {
        each["metadata"]["name"]: each
        for path in sorted(CLUSTER.glob("*.yaml"))
        for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if each["kind"] == kind
    }


CLUSTERED = [
    (kind, name)
    for kind in (
        "Deployment", "Namespace", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount",
    )
    for name in of_cluster(kind)
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), CLUSTERED)
def test_a_manifest_of_the_cluster_is_one_of_its_kind(kind: str, name: str) -> None:
    """Held against Kubernetes' own schemas."""
    kubernetes_validate.validate(of_cluster(kind)[name], "1.30", strict=True)


def test_each_role_has_a_deployment_that_may_do_nothing_else() -> None:
    """What the one pod may not, none of them may; they share a PostgreSQL, and keep nothing."""
    alone = manifests()["Deployment"]["spec"]["template"]["spec"]
    deployments = of_cluster("Deployment")
    assert deployments.keys() == {str(role) for role in Role} - {"all"}
    for role, each in deployments.items():
        pod = each["spec"]["template"]["spec"]
        assert each["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        [container], [one] = pod["containers"], alone["containers"]
        assert container["args"] == ["run", "--role", role]
        labels = {"app.kubernetes.io/name": "monitor", "app.kubernetes.io/component": role}
        assert each["spec"]["selector"]["matchLabels"] == labels
        assert each["spec"]["template"]["metadata"]["labels"] == labels
        same = ("serviceAccountName", "automountServiceAccountToken", "enableServiceLinks",
                "terminationGracePeriodSeconds")  # fmt: skip
        assert {key: pod[key] for key in same} == {key: alone[key] for key in same}
        assert pod["securityContext"].items() <= alone["securityContext"].items()
        same = (
            "image",
            "ports",
            "securityContext",
            "startupProbe",
            "livenessProbe",
            "readinessProbe",
        )
        assert {key: container[key] for key in same} == {key: one[key] for key in same}
        assert container["resources"]["limits"] == one["resources"]["limits"]
        mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        assert mounts.keys() == {"/config", "/tmp"}
        assert set(mounts.values()) == {each["name"] for each in pod["volumes"]}
        names = {variable["name"] for variable in container["env"]}
        assert names == {variable["name"] for variable in one["env"]} | {"MONITOR_DATABASE_URL"}


def test_postgresql_lets_all_of_them_in() -> None:
    """As many connections as the document reckons with: of all processes, and of an upgrade's."""
    each = WRITERS + READERS + CONNECTIONS + 2  # told of jobs; held for alive
    command = scale()["services"]["postgres"]["command"]
    [most] = [part.partition("=")[2] for part in command if part.startswith("max_connections=")]
    specs = [deployment["spec"] for deployment in of_cluster("Deployment").values()]
    usual = each * sum(spec["replicas"] for spec in specs)
    upgrade = usual + each * sum(spec["strategy"]["rollingUpdate"]["maxSurge"] for spec in specs)
    assert upgrade < int(most)
    words = " ".join((ROOT / "docs" / "scaling.md").read_text(encoding="utf-8").split())
    assert f"up to {each} connections" in words
    assert f"{7 * each} for the seven of compose with four workers" in words
    assert f"{usual} for the eight on Kubernetes and {upgrade} during an upgrade" in words
    assert f"max_connections={most}`" in words


def test_when_nodes_are_emptied_each_role_goes_on() -> None:
    """No budget keeps a node from being emptied, and none lets the last of several go."""
    deployments = of_cluster("Deployment")
    budgets = of_cluster("PodDisruptionBudget")
    assert budgets.keys() == {
        name for name, each in deployments.items() if each["spec"]["replicas"] > 1
    }
    for name, budget in budgets.items():
        spec = budget["spec"]
        assert spec["selector"] == deployments[name]["spec"]["selector"]
        assert spec.get("minAvailable", 1) < deployments[name]["spec"]["replicas"]
    assert (
        of_cluster("Service")["monitor"]["spec"]["selector"].items()
        >= {"app.kubernetes.io/component": "web"}.items()
    )


def test_the_cluster_is_set_up_as_the_one_pod() -> None:
    """The same example of a configuration, the same name, the same ways out, and PostgreSQL."""
    for name in ("feeds.toml", "namespace.yaml", "serviceaccount.yaml"):
        assert (CLUSTER / name).read_bytes() == (KUBERNETES / name).read_bytes(), name
    ways, more = (
        manifests()["NetworkPolicy"]["spec"],
        of_cluster("NetworkPolicy")["monitor"]["spec"],
    )
    assert more["ingress"] == ways["ingress"]
    [postgres] = [way for way in more["egress"] if way not in ways["egress"]]
    assert postgres["ports"] == [{"protocol": "TCP", "port": 5432}]
    assert [way for way in more["egress"] if way != postgres] == ways["egress"]


# --------------------------------------------------------------------------- compose


def scale() -> dict[str, Any]:
    """compose.scale.yaml."""
    return yaml.safe_load((ROOT / "compose.scale.yaml").read_text(encoding="utf-8"))


def test_the_service_on_postgresql_is_as_confined() -> None:
    """Whatever compose.yaml takes away is taken away here, too."""
    alone = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"][
        "monitor"
    ]
    services = {
        name: each for name, each in scale()["services"].items() if each["image"] == alone["image"]
    }
    roles = [each["command"] for each in services.values()]
    assert roles == [["run", "--role", name] for name in services], "each is named by what it does"
    assert {role[-1] for role in roles} == {str(role) for role in Role} - {"all"}
    for service in services.values():
        for key in ("read_only", "cap_drop", "security_opt", "init", "stop_grace_period"):
            assert service[key] == alone[key], key
        assert service["restart"] == "unless-stopped"
        assert "healthcheck" not in service, "the image's own asks a process of any role"
        assert service["mem_limit"]
        assert service["depends_on"]["postgres"]["condition"] == "service_healthy"
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")
    assert "ports" not in scale()["services"]["postgres"]
    assert scale()["services"]["postgres"]["restart"] == "unless-stopped"
    many = {name: each["deploy"] for name, each in services.items() if "deploy" in each}
    assert many == {"worker": {"replicas": "${WORKERS:-2}"}}
    assert "ports" not in services["worker"]


def test_the_service_on_postgresql_finds_its_database(tmp_path: Path) -> None:
    """The image names SQLite: the compose file takes that back, and names a file with the URL."""
    env = dict(scale()["x-monitor"]["environment"])
    secret = tmp_path / "database_url"
    secret.write_text("postgresql://monitor:hush@postgres/monitor\n", encoding="utf-8")
    assert env["MONITOR_DATABASE_URL_FILE"] == "/run/secrets/database_url"
    env |= {"MONITOR_DATABASE_URL_FILE": str(secret), "MONITOR_WEB_TOKEN": "x" * 32}
    settings = config.load(ROOT / "feeds.toml", docker_env() | env)
    assert settings.monitor.database == "postgresql://monitor:hush@postgres/monitor"
    assert set(scale()["secrets"]) == {
        name for each in scale()["services"].values() for name in each["secrets"]
    }
