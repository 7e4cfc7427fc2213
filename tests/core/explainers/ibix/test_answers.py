import numpy as np
import pytest
import torch

from core.errors import BadInput
from core.explainers.ibix.answers import ClassAnswers, ImageAnswers, marked_on
from core.explainers.ibix.explainer import Ibix
from core.explainers.ibix.variants import Paper
from tests.core.explainers import regressors
from tests.core.explainers.regressors import BOXES, SHAPES, region, scan, smooth
from tests.core.explainers.toys import Toy


def images(channels_out=1, marked=None, **values):
    made = regressors.model(smooth(2, channels_out=channels_out), channels_out=channels_out)
    marked = region(SHAPES[2], *BOXES[2]) if marked is None else marked
    return ImageAnswers(regressors.question(made, scan(SHAPES[2]), marked), Ibix.parameters(values=values))


def classes(toy: Toy, marked=None, **values):
    question = regressors.question(toy.model, toy.scan(1), marked, target=1)
    return ClassAnswers(question, Ibix.parameters(values=values))


def test_what_is_marked_must_be_there_in_the_shape_of_its_side():
    here = region((4, 5), slice(0, 1), slice(0, 1))
    assert marked_on(here, lambda: (4, 5), "the scan") is here
    for given, words in ((None, "on the scan"), (here[:3], r"\(3, 5\), and that side of the model \(4, 5\)")):
        with pytest.raises(BadInput, match=words):
            marked_on(given, lambda: (4, 5), "the scan")


def test_slopes_of_an_image_add_up_over_its_channels_as_asked():
    slopes = torch.tensor([[[1.0, -2.0]], [[3.0, 4.0]]])
    assert images(2).picture(slopes).tolist() == [[4.0, 6.0]]
    assert images(2, sums="signed").picture(slopes).tolist() == [[4.0, 2.0]]
    assert images(2, output_channel=0).picture(slopes).tolist() == [[1.0, 2.0]]
    whole = images().of_whole(torch.ones(1, 2, 3), (slice(0, 1), slice(1, 3)), torch.full((1, 1, 2), 7.0))
    assert whole.tolist() == [[[0.0, 7.0, 7.0], [0.0, 0.0, 0.0]]]


def test_the_image_counts_where_it_was_marked_and_the_class_that_was_asked_for(trained: Toy):
    marked = images().target(lambda: torch.zeros(1, *SHAPES[2]), torch.device("cpu"))
    np.testing.assert_array_equal(marked.marked.numpy(), region(SHAPES[2], *BOXES[2]))
    target = classes(trained).target(lambda: pytest.fail("the model was asked"), torch.device("cpu"))
    assert target.marked.tolist() == [False, True]
    assert target.place is None


def test_superpixels_of_a_classifier_stay_inside_what_was_marked_and_the_body(trained: Toy):
    shape = trained.scan(1).shape
    left, right = np.zeros(shape, bool), np.zeros(shape, bool)
    left[: shape[0] // 2], right[shape[0] // 2 :] = True, True
    assert classes(trained).looked_at(left) is left
    np.testing.assert_array_equal(classes(trained, left).looked_at(np.ones(shape, bool)), left)
    with pytest.raises(BadInput, match="outside the body"):
        classes(trained, left).looked_at(right)


def test_a_class_has_one_number_painted_on_the_region(trained: Toy):
    marked = np.zeros(trained.scan(1).shape, bool)
    marked[3:5] = True
    answers = classes(trained, marked)
    slopes = torch.tensor([0.5, -2.0])
    array = answers.forward_map(slopes, marked, Paper(answers.question, answers.parameters, None), derivative=False)
    np.testing.assert_array_equal(array.values, marked * np.float32(-2.0))
    assert answers.forward_numbers(slopes) == {"slope CN": 0.5, "slope AD": -2.0}


def test_probabilities_have_a_softmax_behind_them(trained: Toy):
    x = trained.model.prepare(trained.scan(1)).tensor
    logits = trained.model.network(x)
    torch.testing.assert_close(classes(trained, score="probability").network()(x), logits.softmax(1))
    assert classes(trained).network() is trained.model.network
