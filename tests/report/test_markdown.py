import re

import pytest

from benchmarker.report.markdown import markdown_table, markdown_text


@pytest.mark.parametrize("name", ["a|b", "<b>", "[x](y)", "`code`", "*a* _b_", "&amp;", "~~x~~"])
def test_a_name_stays_text_and_one_cell(name):
    table = markdown_table(["network", "n"], [True, False], [[name, "1"]])
    head, rule, line = table.splitlines()
    assert (head, rule) == ("| network | n |", "| :--- | ---: |")
    cells = re.split(r"(?<!\\)\|", line)[1:-1]
    assert re.sub(r"\\(.)", r"\1", cells[0].strip()) == name
    assert not re.search(r"(?<!\\)[`*_\[\]<>|&~]", markdown_text(name))
