"""SkyRL: a mix as an environment of its gym (facts: skyrl-gym 0.4.0; SkyRL at commit a9564572).

`hub export skyrl mix.toml --out dir` writes a module that registers the environments `hub` and `hub-eval`.

What it cannot do: rewards that compare the completions of a prompt, as an environment sees one completion, in
one of few threads; and weights that change over steps, as it is not told the step.
"""
