"""What all kinds that are Gradio apps share: the same server, told apart only by what is on the page.

Gradio's `/config` tells everything. Behind a login it is refused, and two places still give the app away:
since 5.x the index page names the API's functions, since 6.x `/manifest.json` names the title.
"""

from __future__ import annotations

from hybridisco.core.conditions import Condition, body, either, equals, matches, status
from hybridisco.core.kind import Fact, Proof, Step
from hybridisco.core.model import Status

CONFIG = "/config"
MANIFEST = "/manifest.json"

#: `/config` where a login is set: 401 {"detail": "Not authenticated"}, in 5.x one level deeper.
REFUSED = Step(CONFIG, (status(401), body("Not authenticated")))


def shows(*where: Condition) -> Step:
    """Return the step "the page is Gradio's, and meets ``where``"."""
    return Step(CONFIG, (status(200), equals("auth_required", False), *where), lens="gradio")


def asks_login(*where: Condition) -> Step:
    """Return the step "the index page is Gradio's login, and meets ``where``"."""
    return Step("/", (equals("auth_required", True), *where), lens="gradio")


def titled(pattern: str) -> Condition:
    """The page's title matches."""
    return matches("title", pattern)


def app(*shown: Condition, title: str | None = None, functions: tuple[str, ...] = ()) -> tuple[Proof, ...]:
    """Return the proofs of an app that is known by its title, its API's functions, or what else is ``shown``.

    One of them is enough. Behind a login the title and the functions are looked for where they still are.
    """
    by_title = () if title is None else (titled(title),)
    by_functions = (equals("api_names.*", *functions),) if functions else ()
    proofs = [Proof((shows(either(*by_title, *by_functions, *shown)),))]
    if by_functions:
        proofs.append(Proof((REFUSED, asks_login(*by_functions)), Status.LOCKED))
    if title is not None:
        named = Step(MANIFEST, (status(200), matches("name", title)))
        proofs.append(Proof((REFUSED, asks_login(), named), Status.LOCKED))
    return tuple(proofs)


#: Gradio's own version: clients of an app's API depend on it.
GRADIO_VERSION = Fact("gradio", CONFIG, "version", lens="gradio", asked=False)


def text_fact(name: str, pattern: str) -> Fact:
    """Return a fact that is written somewhere in the page's texts."""
    return Fact(name, CONFIG, "texts.*", pattern, lens="gradio", asked=False)
