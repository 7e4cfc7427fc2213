from dashboard.compare.tables import Figure, table


def test_everything_from_outside_is_escaped():
    made = table(["<i>", "b"], [["<b>name</b>", Figure("<s>", "<u>"), "<em>"]], "a 'label' <x>")
    for tag in ("<i>", "<b>", "<s>", "<u>", "<em>", "<x>"):
        assert tag not in made
    assert "&lt;b&gt;name&lt;/b&gt;" in made


def test_rows_and_columns_have_heads():
    made = table(["Network", "Says"], [["A", Figure("hand", "0.9")]], "Networks")
    assert "<th scope='col'>Network</th>" in made
    assert "<th scope='row'>A</th>" in made
    assert "<td>hand<small>0.9</small></td>" in made


def test_the_tint_of_a_cell_stays_readable():
    for heat, opacity in ((0.0, "0.000"), (0.5, "0.300"), (1.0, "0.600"), (7.0, "0.600"), (-1.0, "0.000")):
        assert f"{opacity})" in table(["a", "b"], [["x", Figure("1", heat=heat)]], "t")
    assert "style" not in table(["a", "b"], [["x", Figure("1")]], "t")
