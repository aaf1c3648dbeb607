"""What Prometheus is told."""

from prometheus_client.parser import text_string_to_metric_families

from hub_serve.mixes import Mixes
from tests.plugins.hub_serve.conftest import Running, running

NAMES = {
    "hub_engine_cached",
    "hub_engine_queue_seconds",
    "hub_engine_run_seconds",
    "hub_engine_samples",
    "hub_serve_gathered",
    "hub_serve_memory_bytes",
    "hub_serve_mix",
    "hub_serve_ready",
    "hub_serve_reloads",
    "hub_serve_repeated",
    "hub_serve_request_seconds",
    "hub_serve_requests",
    "hub_serve_requests_under_way",
    "hub_serve_samples",
    "hub_serve_scores",
    "hub_serve_scoring_seconds",
    "hub_serve_waiting_samples",
}


def values(service: Running) -> dict[str, float]:
    """Every sample by its name and labels, those of histograms' buckets apart."""
    response = service.http.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            if not sample.name.endswith(("_bucket", "_created")):
                labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
                found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_metrics(mixes: Mixes) -> None:
    with running(mixes) as service:
        samples = [{"completion": text} for text in ("a", "oh!", "what?", "b")]
        service.post("/v1/mixes/fussy/score", {"samples": samples})
        service.error("/nowhere/at/all", 404, json={})
        service.post("/mixes/fussy/get_reward?group_size=1", {"query": ["oh!"], "prompts": [""]})
        found = values(service)
        named = {family.name for family in text_string_to_metric_families(service.http.get("/metrics").text)}
    assert named - {name for name in named if name.endswith("_created")} == NAMES
    scores = {
        key: value for key, value in found.items() if key.startswith("hub_serve_scores_total{mix=fussy")
    }
    base = "hub_serve_scores_total{mix=fussy,outcome=%s,reason=%s,reward=%s}"
    assert scores == {
        base % ("scored", "", "fussy"): 2,
        base % ("failed", "exception", "fussy"): 2,  # one of them gathered
        base % ("abstained", "", "fussy"): 1,
        base % ("scored", "", "length"): 5,
        base % ("scored", "", "(total)"): 3,
        base % ("failed", "exception", "(total)"): 2,
    }
    assert found["hub_serve_requests_total{route=/v1/mixes/{name}/score,status=200}"] == 1
    assert found["hub_serve_requests_total{route=unmatched,status=404}"] == 1
    assert found["hub_serve_request_seconds_count{route=/mixes/{name}/get_reward}"] == 1
    assert found["hub_serve_samples_total{mix=fussy}"] == 5
    assert found["hub_serve_waiting_samples{}"] == 0
    assert found["hub_serve_requests_under_way{}"] == 1  # this one
    assert found["hub_serve_ready{}"] == 1
    assert found["hub_serve_gathered_total{mix=fussy,what=missing}"] >= 1
    assert found["hub_serve_memory_bytes{}"] > 1 << 20
    assert found["hub_engine_samples_total{outcome=failed,reward=fussy}"] >= 1


def test_what_no_reward_takes_has_not_failed(mixes: Mixes) -> None:
    with running(mixes) as service:
        service.post("/mixes/routed/get_reward?group_size=1", {"query": ["a"], "prompts": [""]})
        found = values(service)
    base = "hub_serve_scores_total{mix=routed,outcome=%s,reason=,reward=%s}"
    assert {key: value for key, value in found.items() if "{mix=routed,outcome" in key and value} == {
        base % ("abstained", "(total)"): 1,
        base % ("abstained", "length"): 1,
    }
