"""lm-eval and the hub: its models, its tasks, and the hub's benchmarks and rewards inside it.

backend.py       any model backend that lm-eval knows (hf, vllm, local-completions, ...) completes prompts
tasks.py         any of its tasks is a benchmark: `hub eval MODEL --on lm-eval/gsm8k`
task_process.py  reads them in a process of its own, while a command loads its model
task_server.py   what runs in that process
find_task.py     a task's YAML by its name, without lm-eval's start-up cost
grade.py         a task's own filters and metrics, as a reward
plain.py         what it gives, as plain data
hub_task.py      any benchmark of the hub is a task of lm-eval
grade_filter.py  which scores all completions in one call
aggregate.py     a mean that knows what a missing score is
fits.py          which benchmarks run there
task_file.py     the YAML with which lm-eval finds a benchmark
command.py       `hub lm-eval`, which writes it
metrics.py       any reward is a metric in anybody's YAML
"""
