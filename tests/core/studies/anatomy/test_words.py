from core.studies.anatomy.words import sentence


def network(name, title, right):
    return {
        "name": name,
        "title": title,
        "balanced_accuracy": right,
        "balanced_accuracy_95": (right - 0.05, right + 0.05),
        "landmarks": {"all": {"bone": {"share": right / 2, "area": 0.2, "control": None, "random": None}}},
    }


def test_networks_are_called_what_tables_call_them():
    said = sentence(
        [network("n-1", "Anatomy, shallow network", 0.5), network("n-2", "Anatomy, deeper network", 0.8)], [], "bone"
    )
    assert said.startswith("Deeper network puts 80% of the films of a class right")
    assert "more than Shallow network (the intervals lie apart)" in said
    assert "the others: Shallow network 25%." in said
    assert "n-1" not in said


def test_networks_of_one_title_are_told_apart_by_their_names():
    said = sentence([network("n-1", "A network", 0.5), network("n-2", "A network", 0.8)], [], "bone")
    assert said.startswith("n-2 puts 80%")
    assert "more than n-1" in said
