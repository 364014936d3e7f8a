"""``hybridisco completion``: what a shell needs to complete our commands and options."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print shell completion.

    \b
    bash:  hybridisco completion bash > ~/.local/share/bash-completion/completions/hybridisco
    zsh:   hybridisco completion zsh > a folder of $fpath, as _hybridisco
    fish:  hybridisco completion fish > ~/.config/fish/completions/hybridisco.fish
    """
    from click.shell_completion import get_completion_class

    from hybridisco.faces.cli import COMPLETE_VAR
    from hybridisco.faces.cli.app import cli

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(made(cli, {}, "hybridisco", COMPLETE_VAR).source())
    return 0
