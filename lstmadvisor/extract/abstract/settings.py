"""Settings of a program: command lines (argparse, click, typer, absl), namespaces and configuration libraries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lstmadvisor.extract.abstract import configs
from lstmadvisor.extract.abstract.values import (
    Choice,
    Const,
    External,
    Function,
    Map,
    Object,
    Opaque,
    Range,
    Seq,
    Spot,
    Term,
    Value,
)

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.library import Arguments
    from lstmadvisor.extract.abstract.run import Run


@dataclass(eq=False, slots=True)
class CommandOption:
    """One option of a command line."""

    name: str
    type: str | None
    default: Value
    at: Spot
    read: bool = False


def namespace(attrs: dict[str, Value] | None = None, open_: str | None = None, at: Spot | None = None) -> Object:
    """An object with settings as attributes."""
    return Object("namespace", attrs or {}, open_, at)


def _as_option(value: Value, via: str = "argparse") -> Value:
    if isinstance(value, Const) and value.via in ("literal", "call", "config"):
        return replace(value, via=via)
    if isinstance(value, Seq):
        return Seq([_as_option(v, via) for v in value.items], value.kind, value.open, value.at)
    return value


def _typed(value: Value, kind: Value | None) -> Value:
    name = kind.name.rsplit(".", 1)[-1] if isinstance(kind, External) else ""
    if isinstance(value, Const) and isinstance(value.value, str) and name in ("int", "float"):
        try:
            return replace(value, value=int(value.value) if name == "int" else float(value.value))
        except ValueError:
            return value
    return value


def _add_argument(run: Run, parser: Object, a: Arguments) -> Value:
    flags = [v.value for v in a.args if isinstance(v, Const) and isinstance(v.value, str)]
    if not flags:
        return Const(None)
    dest = a.kwargs.get("dest")
    long = next((f for f in flags if f.startswith("--")), flags[0])
    name = str(dest.value) if isinstance(dest, Const) else long.lstrip("-").replace("-", "_")
    action = a.kwargs.get("action")
    verb = (
        action.value
        if isinstance(action, Const)
        else action.name.rsplit(".", 1)[-1]
        if isinstance(action, External)
        else ""
    )
    default = a.kwargs.get("default")
    at = a.at
    if verb in ("help", "version"):
        return Const(None)
    if default is None:
        if verb in ("store_true", "store_false"):
            default = Const(verb == "store_false", "argparse", at)
        elif not long.startswith("-") or _is_true(a.kwargs.get("required")):
            nargs = a.kwargs.get("nargs")
            optional = isinstance(nargs, Const) and nargs.value == "?"
            default = Const(None, "argparse", at) if optional else Opaque(f"the required argument `{name}`", at)
        elif name in parser.data["defaults"]:
            default = parser.data["defaults"][name]
        else:
            default = Const(None, "argparse", at)
    default = _as_option(_typed(default, a.kwargs.get("type")))
    if isinstance(default, Const) and not default.name:
        default = replace(default, name=name)
    kind = a.kwargs.get("type")
    parser.data["options"][name] = default
    option = CommandOption(
        name,
        kind.name.rsplit(".", 1)[-1]
        if isinstance(kind, External)
        else kind.name
        if isinstance(kind, Function)
        else None,
        default,
        at,
    )
    run.options.append(option)
    return Object("option")


def _is_true(value: Value | None) -> bool:
    return isinstance(value, Const) and value.value is True


def parser(run: Run, a: Arguments) -> Value:
    """`argparse.ArgumentParser(...)`."""
    made = Object("argparse", at=a.at, data={"options": {}, "defaults": {}})
    parents = a.kwargs.get("parents")
    if isinstance(parents, Seq):
        for parent in parents.items:
            if isinstance(parent, Object) and parent.kind == "argparse":
                made.data["options"].update(parent.data["options"])
    return made


def _parse(run: Run, p: Object) -> Object:
    return namespace({**p.data["options"], **p.data["defaults"]}, p.open, p.at)


def method(run: Run, base: Object, name: str, a: Arguments) -> Value | None:
    """Methods of parsers, flags and namespaces."""
    if base.kind == "argparse":
        return _parser_method(run, base, name, a)
    if base.kind == "folder":
        return None
    if base.kind == "configparser":
        return _configparser_method(run, base, name, a)
    return _namespace_method(run, base, name, a)


def _parser_method(run: Run, base: Object, name: str, a: Arguments) -> Value | None:
    if name == "add_argument":
        return _add_argument(run, base, a)
    if name in ("add_argument_group", "add_mutually_exclusive_group"):
        return base
    if name == "add_subparsers":
        return base
    if name == "add_parser":
        return base
    if name == "set_defaults":
        for key, value in a.kwargs.items():
            known = base.data["defaults"].get(key)
            if isinstance(value, Function) and isinstance(known, (Function, Choice)):  # one for each sub-command
                value = run.join([known, value], "which sub-command is given")
            run.put(base.data["defaults"], key, _as_option(value))
        return Const(None)
    if name == "get_default" and a.args and isinstance(a.args[0], Const):
        return base.data["options"].get(a.args[0].value, Const(None))  # type: ignore[no-any-return]
    if name in ("parse_args", "parse_intermixed_args"):
        given = a.get("namespace", 1)
        made = _parse(run, base)
        strings = a.get("args", 0)
        if isinstance(strings, Seq) and strings.items:
            _override(base, made, strings)
        if isinstance(given, Object):
            made.attrs.update(given.attrs)
        return made
    if name == "parse_known_args":
        return Seq([_parse(run, base), Seq([], "list", "the rest of the command line")], "tuple", at=a.at)
    if name in ("parse", "parse_args_into_dataclasses"):
        return _parse(run, base)
    return Const(None) if name in ("error", "print_help", "add_argument_group") else None


def _override(p: Object, made: Object, strings: Seq) -> None:
    """`parse_args(["--epochs", "3"])`: what the script itself passes."""
    words = [s.value if isinstance(s, Const) else None for s in strings.items]
    for i, word in enumerate(words):
        if isinstance(word, str) and word.startswith("--"):
            key, _, inline = word[2:].partition("=")
            key = key.replace("-", "_")
            text: Any = inline or (words[i + 1] if i + 1 < len(words) else None)
            if key in made.attrs and isinstance(text, str):
                old = made.attrs[key]
                value: Any = text
                if isinstance(old, Const) and isinstance(old.value, (int, float)) and not isinstance(old.value, bool):
                    try:
                        value = type(old.value)(text)
                    except ValueError:
                        continue
                source = strings.items[i if inline else i + 1]
                made.attrs[key] = Const(value, "argparse", source.at if isinstance(source, Const) else strings.at)


def _namespace_method(run: Run, base: Object, name: str, a: Arguments) -> Value | None:
    key = a.args[0].value if a.args and isinstance(a.args[0], Const) else None
    if name == "get" and isinstance(key, str):
        if key in base.attrs:
            return base.attrs[key]
        return Opaque(base.open, a.at) if base.open else (a.args[1] if len(a.args) > 1 else Const(None))
    if name == "items":
        return Seq([Seq([Const(k, "constant"), v], "tuple") for k, v in base.attrs.items()], "list", base.open, a.at)
    if name == "keys":
        return Seq([Const(k, "constant") for k in base.attrs], "list", base.open, a.at)
    if name == "values":
        return Seq(list(base.attrs.values()), "list", base.open, a.at)
    if name in ("update", "merge_from_dict", "merge", "merge_from_other_cfg", "__init__"):
        for other in (*a.args, Map(dict(a.kwargs))):
            entries = other.entries if isinstance(other, Map) else other.attrs if isinstance(other, Object) else None
            if entries is None:
                run.set(base, "open", "updated by something unknown")
                continue
            for k, v in entries.items():
                if isinstance(k, str):
                    run.set_attribute(base, k, v, a.at)
        return Const(None)
    if name == "merge_from_file":
        value = configs.load(run, a.args[0] if a.args else None, a.at)
        made = configs.to_object(value) if value is not None else None
        if isinstance(made, Object):
            _merge(run, base, made)
        else:
            run.set(base, "open", "merged with a file that is not known")
        return Const(None)
    if name in ("clone", "copy", "to_dict", "to_container"):
        return Object(base.kind, dict(base.attrs), base.open, base.at)
    if name in ("freeze", "defrost", "dump", "save", "pretty"):
        return Const(None)
    if name == "merge_from_list":
        return Const(None)
    return None


def _merge(run: Run, base: Object, other: Object) -> None:
    for key, value in other.attrs.items():
        mine = base.attrs.get(key)
        if isinstance(mine, Object) and isinstance(value, Object):
            _merge(run, mine, value)
        else:
            run.put(base.attrs, key, value)


def _flag(kind: str) -> str:
    """Unlike argparse, which calls `bool`, these libraries understand what true and false are."""
    return "flag" if kind in ("bool", "boolean", "BOOL") else kind


def define_flag(run: Run, a: Arguments) -> Value | None:
    """`flags.DEFINE_integer("epochs", 10, "…")` of absl and TensorFlow 1."""
    name, default = a.get("name", 0), a.get("default", 1)
    if default is None:
        default = a.kwargs.get("default_value")
    if isinstance(name, Const) and isinstance(name.value, str):
        value = _as_option(default if default is not None else Const(None, "argparse", a.at))
        run.flags.attrs[name.value] = value
        run.options.append(CommandOption(name.value, _flag(a.name.rsplit("_", 1)[-1]), value, a.at))
        return Object("namespace", {"value": value, "default": value})
    return Const(None)


def decorated(run: Run, function: Function, decorator: Value, at: Spot) -> None:
    """Click options and hydra configurations reach a function through its decorators."""
    if not isinstance(decorator, Term):
        return
    last = decorator.name.rsplit(".", 1)[-1]
    if decorator.name in ("click.option", "click.argument") or (
        last in ("option", "argument") and decorator.name.startswith(("click", "rich_click"))
    ):
        flags = [v.value for v in decorator.args if isinstance(v, Const) and isinstance(v.value, str)]
        plain = [f for f in flags if not f.startswith("-")]
        long = [f for f in flags if f.startswith("--")]
        if not flags:
            return
        name = plain[0] if plain else (long or flags)[0].lstrip("-").split("/")[0].replace("-", "_")
        default = decorator.kwargs.get("default")
        if default is None:
            flag = _is_true(decorator.kwargs.get("is_flag"))
            default = (
                Const(False, "config", at)
                if flag
                else Const(None, "config", at)
                if last == "option"
                else Opaque(f"the required argument `{name}`", at)
            )
        value = _as_option(_typed(default, decorator.kwargs.get("type")), "config")
        function.extra[name] = value
        kind = decorator.kwargs.get("type")
        run.options.append(
            CommandOption(name, _flag(kind.name.rsplit(".", 1)[-1]) if isinstance(kind, External) else None, value, at)
        )
    elif decorator.name == "hydra.main":
        params = function.node.params.params
        if params:
            function.extra[params[0].name.value] = hydra_config(run, decorator)


def hydra_config(run: Run, decorator: Term) -> Value:
    """The configuration that `@hydra.main` hands to a function, its defaults list followed."""
    folder, name = decorator.argument("config_path", 0), decorator.argument("config_name", 1)
    if not isinstance(name, Const) or not isinstance(name.value, str):
        return Opaque("hydra's configuration", decorator.at)
    base = folder.value if isinstance(folder, Const) and isinstance(folder.value, str) else "."
    return _hydra_file(run, base, name.value, decorator.at, 0)


def _hydra_file(run: Run, folder: str, name: str, at: Spot, depth: int) -> Value:
    if depth > 6:
        return Opaque("hydra's configuration is nested too deeply", at)
    file = name if name.endswith((".yaml", ".yml")) else f"{name}.yaml"
    value = configs.load(run, Const(f"{folder}/{file}"), at)
    if not isinstance(value, Map):
        return Opaque(f"hydra's configuration {folder}/{file} is not there", at)
    made = configs.to_object(value)
    assert isinstance(made, Object)
    defaults = made.attrs.pop("defaults", None)
    if isinstance(defaults, Seq):
        for entry in defaults.items:
            pairs: list[tuple[str, Value]] = []
            if isinstance(entry, Object):
                pairs = [(k.removeprefix("override ").strip(), v) for k, v in entry.attrs.items()]
            elif isinstance(entry, Const) and isinstance(entry.value, str) and entry.value != "_self_":
                other = _hydra_file(run, folder, entry.value, at, depth + 1)
                if isinstance(other, Object):
                    for k, v in other.attrs.items():
                        made.attrs.setdefault(k, v)
            for group, choice in pairs:
                if isinstance(choice, Const) and isinstance(choice.value, str):
                    other = _hydra_file(run, f"{folder}/{group}", choice.value, at, depth + 1)
                    if isinstance(other, Object):
                        mine = made.attrs.get(group.split("/")[-1])
                        merged = Object(
                            "namespace",
                            {**other.attrs, **(mine.attrs if isinstance(mine, Object) else {})},
                            at=other.at,
                        )
                        made.attrs[group.split("/")[-1]] = merged
    return made


def load_config(run: Run, a: Arguments) -> Value | None:
    """`json.load(f)`, `yaml.safe_load(f)`, `OmegaConf.load(path)` …"""
    source = a.args[0] if a.args else next(iter(a.kwargs.values()), None)
    if a.name.endswith("loads") and isinstance(source, Const) and isinstance(source.value, str):
        return _placed(configs.from_text(source.value, run.shown_of(a.at)), source.at or a.at)
    value = configs.load(run, source, a.at)
    if value is None or (isinstance(value, Opaque) and "json" in a.name):
        return None  # data are kept in JSON, too: what is made of them can be followed without the file
    return configs.to_object(value) if a.name.startswith("omegaconf") else value


def _placed(value: Value, at: Spot) -> Value:
    """Settings written inside a string of the program are written where the string is."""
    if isinstance(value, Map):
        return Map({k: _placed(v, at) for k, v in value.entries.items()}, value.open, at, value.kind)
    if isinstance(value, Seq):
        return Seq([_placed(v, at) for v in value.items], value.kind, value.open, at)
    return replace(value, at=at) if isinstance(value, Const) else value


def make_namespace(run: Run, a: Arguments) -> Value | None:
    """`SimpleNamespace(**d)`, `EasyDict(d)`, `OmegaConf.create(d)`, `ConfigDict()` …"""
    made = namespace(at=a.at, open_=a.open)
    kwargs = {k: v for k, v in a.kwargs.items() if k not in ("init_dict", "new_allowed", "initial_dictionary")}
    given = [v for k, v in a.kwargs.items() if k in ("init_dict", "initial_dictionary")]
    for source in (*a.args, *given, Map(kwargs)):
        if isinstance(source, Map):
            for k, v in source.entries.items():
                if isinstance(v, Const) and v.via == "literal":
                    v = replace(v, via="config", name=str(k))
                made.attrs[str(k)] = configs.to_object(v)
            made.open = made.open or source.open
        elif isinstance(source, Object):
            made.attrs.update(source.attrs)
            made.open = made.open or source.open
        elif isinstance(source, Const) and isinstance(source.value, str):
            value = configs.from_text(source.value, run.shown_of(a.at))
            if isinstance(value, Map):
                made.attrs.update({str(k): configs.to_object(v) for k, v in value.entries.items()})
        else:
            made.open = "made from something unknown"
    return made


def merge_configs(run: Run, a: Arguments) -> Value | None:
    """`OmegaConf.merge(a, b, …)`: later ones win."""
    made = namespace(at=a.at)
    for source in a.args:
        value = configs.to_object(source)
        if isinstance(value, Object):
            _merge(run, made, value)
            made.open = made.open or value.open
        elif isinstance(source, Term) and source.name.endswith("from_cli"):
            continue
        else:
            made.open = "merged with something unknown"
    return made


def typer_default(run: Run, a: Arguments) -> Value | None:
    """`typer.Option(0.1)` as a parameter's default."""
    value = a.get("default", 0)
    if isinstance(value, Const) and value.value is not Ellipsis:
        return _as_option(value, "config")
    return Opaque("a required option", a.at)


def _configparser_method(run: Run, base: Object, name: str, a: Arguments) -> Value | None:
    if name == "read":
        value = configs.load(run, a.args[0] if a.args else None, a.at)
        if isinstance(value, Map):
            for k, v in value.entries.items():
                run.put(base.attrs, str(k), v)
        return Const(None)
    if (
        name in ("get", "getint", "getfloat", "getboolean")
        and len(a.args) >= 2
        and all(isinstance(v, Const) for v in a.args[:2])
    ):
        section, key = a.args[0], a.args[1]
        assert isinstance(section, Const)
        assert isinstance(key, Const)
        found = base.attrs.get(str(section.value))
        value = found.entries.get(str(key.value).lower()) if isinstance(found, Map) else None
        if isinstance(value, Const) and isinstance(value.value, str):
            try:
                convert: dict[str, Any] = {
                    "getint": int,
                    "getfloat": float,
                    "getboolean": lambda s: s.lower() in ("1", "true", "yes", "on"),
                }
                return replace(value, value=convert.get(name, str)(value.value))
            except ValueError:
                return None
        return Opaque("a setting that is not in the file", a.at)
    return None


__all__ = ["Choice", "CommandOption", "Range", "decorated", "method", "namespace"]


def wandb_init(run: Run, a: Arguments) -> Value | None:
    """`wandb.init(config=…)`: the settings are read from `wandb.config` and from the run's `config`."""
    run.term("call", a.name, None, a.args, a.kwargs, at=a.at, event=True)
    config = run.attribute(External("wandb"), "config", a.at)
    given = a.kwargs.get("config")
    made = configs.to_object(given) if given is not None else None
    if isinstance(config, Object) and isinstance(made, Object):
        for name, value in made.attrs.items():
            run.put(config.attrs, name, value)
        run.set(config, "open", made.open)
    return Object("namespace", {"config": config}, open="a run of wandb", at=a.at)
