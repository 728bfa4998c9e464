"""The highest token id is one beyond the last row of the embedding."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    ReplaceExpression,
    Undecided,
    aside,
    items,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
)


@rule(
    code="LA617",
    name="embedding-too-small",
    summary="The embedding has as many rows as there are words, but the ids of the words begin at 1.",
    family="data",
    topic="other",
    severity="error",
    grade="A",
    needs=("embeddings",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for embedding in items(program.embeddings):
        offset, first = number(embedding.vocabulary_offset), number(embedding.first_id)
        if offset is None or first is None or first < 1 or offset >= first:
            continue
        missing = first - offset
        at, rows = where(embedding.vocabulary, embedding), plain(embedding.vocabulary)
        yield Finding(
            at=at,
            message=f"the word ids go from 1 to {'the number of words' if rows is None else rows}, "
            f"and the rows of the embedding one less far{aside(embedding)}"
            if first == 1
            else f"the word ids begin at {first:g}, and the last of them have no row{aside(embedding)}",
            label="one row short" if missing == 1 else f"{missing:g} rows short",
            help="add 1 to the number of rows: row 0 belongs to the padding"
            if first == 1
            else f"give it {first:g} rows more than there are words",
            fix=unsafe(
                "add a row" if missing == 1 else f"add {missing:g} rows",
                "the last word has one of its own",
                ReplaceExpression(at=at, code=f"$ + {missing:g}"),
            ),
            evidence=notes(at, (embedding, "the embedding"), (embedding.first_id, "the ids are made here")),
        )
