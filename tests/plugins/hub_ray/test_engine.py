"""The engine `ray` against a real cluster: the same numbers as the local engine, and nothing is lost."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hub
import hub_ray
from hub.errors import ConfigError, EngineError, OptionError
from tests.plugins.hub_ray import rewards

FILE = '''
"""A file that another node does not have; its lock cannot be pickled."""
import threading
import hub

LOCK = threading.Lock()

@hub.reward(needs=[])
def locked(sample: hub.Sample) -> float:
    with LOCK:
        return len(sample.text) / 11
'''

Open = Callable[..., hub_ray.RayEngine]


@pytest.fixture
def open_ray(cluster: Any) -> Iterator[Open]:
    made = []

    def open_engine(*arguments: Any, **options: Any) -> hub_ray.RayEngine:
        made.append(hub_ray.RayEngine(*arguments, **options))
        return made[-1]

    yield open_engine
    for engine in made:
        engine.close()


def actors(engine: hub_ray.RayEngine) -> list[Any]:
    """The handles of its actors, once all are there."""
    return [handle for crew in engine._crews.values() for handle in crew.handles()]


def pids(engine: hub_ray.RayEngine) -> list[int]:
    import ray

    return [found["pid"] for found in ray.get([handle.hello.remote() for handle in actors(engine)])]


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds; a minute without it is a failure, whatever the machine does."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def begun(folder: Path) -> int:
    return len(list(folder.glob("begun-*")))


def texts(*found: str, **columns: Any) -> list[hub.Sample]:
    return [hub.Sample("p", text, columns) for text in found]


def outcomes(results: list[hub.MixScore]) -> list[Any]:
    return [(r.value, {name: s.as_dict() for name, s in r.scores.items()}) for r in results]


def mixed(count: int) -> list[hub.Sample]:
    """Groups of six; some hang, crash, raise, abstain, come twice or lack a column."""
    kinds = {7: "hang", 11: "crash", 23: "raise", 31: "abstain", 41: "explain", 43: "crash"}
    samples = []
    for index in range(count):
        text = f"{kinds.get(index % 100, '')} {'x' * (index % 17)} {index % 90}"
        columns = {} if index == 19 else {"answer": str(index % 10)}
        samples.append(hub.Sample(f"prompt {index // 6}", text, columns))
    return samples


def test_values_are_those_of_the_local_engine(open_ray: Open, engine: hub.Engine, tmp_path: Path) -> None:
    (tmp_path / "lock.py").write_text(FILE)

    @hub.reward(needs=[])
    def notebook(sample: hub.Sample) -> float:
        return len(sample.text) / tenth

    tenth = 10
    tables = {reward: 1.0 for reward in (rewards.right, rewards.rank, rewards.model, rewards.patient)}
    mix = hub.Mix(
        {
            **tables,
            rewards.hostile: {"weight": 0.5, "on_timeout": -1.0},
            rewards.quick: {"gate": "right >= 1"},
            rewards.Scaled: {"with": {"by": lambda text: len(text) / tenth}},
            notebook: 0.3,
            f"{tmp_path}/lock.py:locked": 0.1,
        }
    )
    samples = mixed(200)
    wanted = mix.score(samples, engine=engine)
    ours = open_ray(actors=2, cpus=1)
    mix.warm(ours)
    assert outcomes(mix.score(samples, engine=ours)) == outcomes(wanted)
    assert {result.scores["hostile"].reason for result in wanted} > {"timeout", "crashed", "exception"}
    for name, account in mix.stats(engine).items():
        mine = mix.stats(ours)[name]
        for key in ("count", "scored", "abstained", "failed", "reasons", "mean", "std"):
            assert mine[key] == account[key], (name, key)
    assert set(ours.stats()) == set(mix.names)
    again = mix.score(samples, engine=ours)
    assert [result.value for result in again] == [result.value for result in wanted]
    assert mix.stats(ours)["model"]["cached"] >= 200


@pytest.mark.parametrize("name", ["hostile", "deadly"])  # in worker processes, and in the actors themselves
def test_order_and_length(open_ray: Open, name: str) -> None:
    bound = hub.find_reward(getattr(rewards, name)).bind()
    divisor = {"hostile": 7, "deadly": 1}[name]
    ours = open_ray(actors=2, resources={"deadly": {"actors": 2}})
    for count in (0, 1, 2, 3000):
        samples = texts(*("y" * (index % 211) for index in range(count)))
        assert [s.value for s in ours.score(bound, samples)] == [len(s.text) / divisor for s in samples]


def test_one_slow_sample_holds_nothing_else(open_ray: Open, tmp_path: Path) -> None:
    ours = open_ray(actors=2, cpus=1)
    gated = ours.add(hub.find_reward(rewards.gated).bind())
    slow = ours.submit(gated, texts("wait", folder=str(tmp_path)))
    eventually(lambda: begun(tmp_path) == 1)
    others = texts(*map(str, range(40)), folder=str(tmp_path))
    # Chunks that are given to the actor that waits come back, and are scored by the other one.
    assert [score.value for score in ours.score(gated, others)] == [len(s.text) for s in others]
    assert not slow.done()
    (tmp_path / "go").touch()
    assert slow.result()[0].value == 4.0


def test_callers_of_few_samples_share_workers_and_chunks(open_ray: Open, tmp_path: Path) -> None:
    ours = open_ray(cpus=2)
    gated = ours.add(hub.find_reward(rewards.gated).bind())
    slow = [ours.submit(gated, texts(f"{name} wait", folder=str(tmp_path))) for name in "ab"]
    eventually(lambda: begun(tmp_path) == 2)  # each worker has one
    others = [ours.submit(gated, texts("y" * index, folder=str(tmp_path))) for index in range(1, 50)]
    assert others[7].cancel()
    (tmp_path / "go").touch()
    assert [waiting.result()[0].value for waiting in slow] == [6.0, 6.0]
    scored = [waiting.result()[0].value for waiting in others if not waiting.cancelled()]
    assert scored == [float(index) for index in range(1, 50) if index != 8]


@pytest.mark.parametrize("killed", [1, 2])
def test_actors_that_are_lost_cost_a_second_try(open_ray: Open, tmp_path: Path, killed: int) -> None:
    import ray

    ours = open_ray(actors=2, cpus=1)
    gated = ours.add(hub.find_reward(rewards.gated).bind())
    samples = texts(*(f"{index} wait" for index in range(8)), folder=str(tmp_path))
    waiting = ours.submit(gated, samples)
    eventually(lambda: begun(tmp_path) == 2)
    for handle in actors(ours)[:killed]:
        ray.kill(handle)
    (tmp_path / "go").touch()
    assert [score.value for score in waiting.result()] == [6.0] * 8
    assert ours.stats()["gated"]["count"] == 8
    assert len(set(pids(ours))) == 2


def test_nodes_that_come_and_go(open_ray: Open, cluster: Any, tmp_path: Path) -> None:
    spare = cluster.add_node(num_cpus=1, resources={"spare": 1})
    asked = {"spare": 1, "num_cpus": 0, "actors": 2}  # there is room for one of them
    ours = open_ray(resources={"gated": asked, "node": asked})
    (there,) = ours.score(hub.find_reward(rewards.node).bind(), texts("a"))
    assert there.info["node"] == spare.node_id
    waiting = ours.submit(hub.find_reward(rewards.gated).bind(), texts("wait", "b", folder=str(tmp_path)))
    eventually(lambda: begun(tmp_path) == 1)
    cluster.remove_node(spare, allow_graceful=False)
    other = cluster.add_node(num_cpus=1, resources={"spare": 2})
    eventually(lambda: begun(tmp_path) > 1)  # a second try, on another node
    (tmp_path / "go").touch()
    assert [score.value for score in waiting.result()] == [4.0, 1.0]
    eventually(lambda: len(set(pids(ours))) == 2)  # and the actor that had found no room
    cluster.remove_node(other)


def test_what_ends_its_actor_costs_nothing_else(open_ray: Open) -> None:
    ours = open_ray(resources={"deadly": {}})
    samples = texts(*(f"number {index}" for index in range(30)), "die", "after")
    scores = ours.score(hub.find_reward(rewards.deadly).bind(), samples)
    assert [score.value for score in scores] == [*(len(s.text) for s in samples[:-2]), None, 5]
    assert scores[-2].reason == "crashed"
    assert "3 actors were lost under it" in scores[-2].detail


def test_a_reward_that_always_ends_its_actor(open_ray: Open) -> None:
    ours = open_ray()
    scores = ours.score(hub.find_reward(rewards.suicidal).bind(), texts("a", "b"))
    assert [score.reason for score in scores] == ["crashed", "crashed"]
    assert ours.score(hub.find_reward(rewards.model).bind(), texts("abc"))[0].value == 1.0


def test_a_batch_that_does_not_end_is_ended_with_its_actor(open_ray: Open, tmp_path: Path) -> None:
    ours = open_ray()
    stuck = ours.add(hub.find_reward(rewards.stuck).bind())
    assert ours.score(stuck, texts("a", folder=str(tmp_path)))[0].reason == "timeout"
    assert ours.score(stuck, texts("b", folder=str(tmp_path)))[0].value == 2.0


def test_resources_that_no_node_has(open_ray: Open) -> None:
    ours = open_ray(placement_s=0.3, resources={"right": {"sandbx": 1}, "model": {"num_gpus": 0.5}})
    mix = hub.Mix({rewards.right: 1.0, rewards.quick: 1.0})
    told = "no node had room in 0.3 s .* asks for num_cpus=1, sandbx=1 .*did you mean 'sandbox'.*sandbox=1"
    with pytest.raises(EngineError, match=told):
        mix.score(texts("1", answer="1"), engine=ours)
    with pytest.raises(ConfigError, match=f"'right' of .* cannot be set up: {told}"):
        mix.warm(ours)
    with pytest.raises(EngineError, match=r"num_gpus=0.5 \(no node has 'num_gpus' \(known: .*sandbox"):
        ours.score(hub.find_reward(rewards.model).bind(), texts("a"))


def test_a_node_with_another_version(open_ray: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub_ray.crew.__version__", "0.0.7")
    told = f"a node has posttrain-hub {hub.__version__}, the caller has 0.0.7"
    with pytest.raises(EngineError, match=told):
        open_ray().score(hub.find_reward(rewards.model).bind(), texts("a"))


def test_rewards_that_ask_for_the_same_share_actors(open_ray: Open) -> None:
    sandboxed = {"sandbox": 0.25, "num_cpus": 0.5, "actors": 2}
    ours = open_ray(resources={"node": sandboxed, "also": sandboxed})
    bound = hub.find_reward(rewards.node).bind()
    node, also = ours.add(bound), ours.add(bound, name="also")
    assert ours.warm([node, also]) == {}
    scores, others = ours.score(node, texts(*"abcdef")), ours.score(also, texts(*"abcdef"))
    assert [score.info["count"] for score in scores] == [3] * 6  # a batch is shared out
    assert (
        {score.info["pid"] for score in scores} == {score.info["pid"] for score in others} == set(pids(ours))
    )


def test_groups_are_never_cut(open_ray: Open) -> None:
    ours = open_ray(actors=2)
    samples = [hub.Sample(f"prompt {index % 50}", str(index)) for index in range(400)]
    scores = ours.score(hub.find_reward(rewards.rank).bind(), samples)
    assert {int(score.value or 0.0) for score in scores} == {8}


def test_duplicates_are_scored_once_and_kept(open_ray: Open) -> None:
    ours = open_ray()
    bound = hub.find_reward(rewards.hostile).bind()
    for _ in range(2):
        assert [s.value for s in ours.score(bound, texts(*("a", "b") * 10))] == [1 / 7] * 20
    assert ours.stats()["hostile"]["cached"] == 38
    assert ours.add(hub.find_reward(rewards.hostile).bind()) is ours.add(bound)


def test_actors_that_end_while_they_wait_are_replaced(open_ray: Open) -> None:
    import ray

    ours = open_ray(actors=2)
    mix = hub.Mix({rewards.right: 1.0})
    before = set(pids(ours)) if ours.warm([ours.add(mix.rewards[0].bound)]) == {} else set()
    for handle in actors(ours):
        ray.kill(handle)
    mix.warm(ours)
    assert len(before) == 2
    assert before.isdisjoint(pids(ours))


def test_a_constructor_that_ends_its_actor(open_ray: Open) -> None:
    mix = hub.Mix({rewards.Exits: 1.0})
    with pytest.raises(ConfigError, match="3 times an actor was lost while it was constructed"):
        mix.warm(open_ray())


def test_what_cannot_be_constructed_is_found_before(open_ray: Open) -> None:
    mix = hub.Mix({rewards.right: 1.0, rewards.Broken: 1.0})
    with pytest.raises(ConfigError, match=r"'Broken' of .* cannot be set up: RuntimeError: no such table"):
        mix.warm(open_ray())


def test_a_mix_in_a_task_of_ray(open_ray: Open, engine: hub.Engine) -> None:
    import ray

    def score(mix: hub.Mix, samples: list[hub.Sample]) -> list[float | None]:
        import hub_ray

        with hub_ray.RayEngine() as inside:
            return [result.value for result in mix.score(samples, engine=inside)]

    mix, samples = hub.Mix({rewards.right: 1.0, rewards.patient: 0.5}), texts("a 1", "b 2", answer="1")
    found = ray.get(ray.remote(num_cpus=0)(score).remote(mix, samples))
    assert found == [result.value for result in mix.score(samples, engine=engine)]


def test_ctrl_c_and_cancel_end_what_is_under_way(open_ray: Open, tmp_path: Path) -> None:
    ours = open_ray()
    gated = ours.add(hub.find_reward(rewards.gated).bind())

    def interrupt() -> None:
        eventually(lambda: begun(tmp_path) == 1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        ours.score(gated, texts("wait", folder=str(tmp_path)))
    thread.join()
    (tmp_path / "begun-again").touch()
    waiting = ours.submit(gated, texts("wait more", folder=str(tmp_path)))
    eventually(lambda: begun(tmp_path) == 3)  # the worker was freed by the first one's end
    assert waiting.cancel()
    assert ours.score(gated, texts("next", folder=str(tmp_path)))[0].value == 4.0


def test_closing_leaves_no_process(open_ray: Open) -> None:
    ours = open_ray(actors=2)
    where = ours.add(hub.find_reward(rewards.where).bind())
    workers = {score.info["pid"] for score in ours.score(where, texts(*map(str, range(50))))}
    alive = {*pids(ours), *workers}
    assert len(alive) >= 3
    ours.close()
    eventually(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in alive))
    with pytest.raises(EngineError, match="closed"):
        ours.score(where, texts("a"))


def test_closing_fails_what_is_under_way(open_ray: Open, tmp_path: Path) -> None:
    ours = open_ray()
    waiting = ours.submit(hub.find_reward(rewards.gated).bind(), texts("wait", folder=str(tmp_path)))
    eventually(lambda: begun(tmp_path) == 1)
    ours.close()
    assert waiting.result()[0].reason == "cancelled"


def test_a_fork_of_the_caller_has_no_engine(open_ray: Open) -> None:
    ours = open_ray()
    child = os.fork()
    if child == 0:
        os._exit(0 if ours.closed else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not ours.closed


def test_the_own_engine_of_an_actor_has_its_share_of_the_cores(cluster: Any) -> None:
    """As in a trainer's actors: one CPU is what these ask for whatever they do, GPUs tell how many there are."""
    import ray

    class Actor:
        def workers(self) -> int:
            from hub.engine import cores

            cores.os.sched_getaffinity = lambda pid: set(range(96))  # type: ignore[attr-defined]
            return cores.default_workers()

    node = cluster.add_node(num_cpus=16, num_gpus=8, resources={"cards": 4})
    kind: Any = ray.remote(resources={"cards": 1})(Actor)
    asked = [{"num_cpus": 1}, {"num_cpus": 5}, {"num_gpus": 1}, {"num_cpus": 1, "num_gpus": 4}]
    made = [kind.options(**given).remote() for given in asked]
    found = ray.get([actor.workers.remote() for actor in made], timeout=100)
    for actor in made:
        ray.kill(actor)
    cluster.remove_node(node)
    assert found == [96, 5, 12, 48]


def test_it_is_opened_by_name(cluster: Any) -> None:
    engine = hub.open_engine("ray", actors=1, cpus=1)
    assert hub.Mix({rewards.patient: 1.0}).score(texts("a"), engine=engine)[0].value == 0.25
    engine.close()
    with pytest.raises(OptionError, match=r"'actor'.*did you mean 'actors'"):
        hub.open_engine("ray", actor=1)
