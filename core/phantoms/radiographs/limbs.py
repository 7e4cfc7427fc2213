"""Hand, foot, knee and elbow as solids in the beam; angles 0 up, 90 to the right of the film; millimetres."""

import numpy as np

from core.phantoms.radiographs.body import Anatomy, Body, chain, soft
from core.phantoms.radiographs.shapes import Box, Ellipse, Part, Tube, moved, toward

#: metacarpal and three phalanges of index to little finger
_FINGERS = ((66, 40, 24, 17), (64, 44, 28, 18), (57, 41, 27, 18), (53, 33, 19, 16))
#: metatarsal, phalanges of the second to fifth toe
_TOES = ((72, 27, 13, 10), (69, 25, 11, 9), (67, 23, 9, 9), (66, 21, 8, 8))


def hand(body: Body) -> Anatomy:
    """Palm on the film, fingers up, thumb to the left."""
    size, spread = body.share(0.06), body.posed(4.5, 2.2)
    bones: list[Part] = []
    flesh: list[Tube] = []
    lean = body.posed(0, 4)
    for number, usual in enumerate(_FINGERS):
        lengths = [size * length for length in body.lengths(*usual, spread=0.03)]
        fan = (number - 1.2) * 4.5 + lean
        base = np.array([-15.5 + 10.2 * number, 27 + 1.6 * abs(number - 1) ** 1.5]) * size
        finger = fan * 0.6 + (number - 1.3) * spread + lean
        bend = [body.posed(0, 3.0) for _ in range(3)]
        joints = chain(base, (fan, finger + bend[0], finger + bend[1], finger + bend[2]), lengths)
        shafts = np.array([3.9, 3.9, 3.2, 2.2]) * size * (0.86 if number == 3 else 1.0)
        bones += _row(body, joints, shafts)
        flesh.append(Tube(joints[1:], np.array([10.5, 9.2, 8.0, 6.4]) * size * body.fat**0.5))
        flesh.append(Tube(joints[:2], 13 * size, half=12 * size))
    thumb = body.posed(-44, 8)
    lengths = [size * length for length in body.lengths(45, 31, 22, spread=0.03)]
    joints = chain(np.array([-23, 33]) * size, (thumb, thumb + body.posed(14, 7), thumb + body.posed(16, 8)), lengths)
    bones += _row(body, joints, np.array([4.4, 4.2, 3.0]) * size)
    flesh.append(Tube(joints, np.array([15, 12.5, 10, 7]) * size))
    wrist = body.posed(0, 5)
    bones += _carpals(body, size)
    bones.append(
        body.bone(
            Tube(
                [(-13 * size, 67 * size), (-12 * size, 76 * size), toward((-11 * size, 90 * size), 180 + wrist, 170)],
                [10 * size, 9.5 * size, 6.5 * size],
            ),
            Ellipse((-12 * size, 66 * size), (15 * size, 9 * size), half=9 * size),
            cortex=2.0,
        )
    )
    bones.append(
        body.bone(
            Tube([(13 * size, 69 * size), toward((12 * size, 90 * size), 180 + wrist, 170)], [7 * size, 6.0 * size]),
            cortex=2.0,
        )
    )
    flesh.append(Tube([(0, 52 * size), toward((0, 70 * size), 180 + wrist, 190)], [27 * size, 29 * size], half=21))
    return Anatomy(245, (soft(*flesh, blend=4.0),), tuple(bones), middle=(-2, -14))


def _carpals(body: Body, size: float) -> list[Part]:
    places = (
        ((-18, 56), (8.5, 6), -35),
        ((-4, 57), (7, 6), 10),
        ((9, 56), (6.5, 6), 20),
        ((12, 54), (5, 5), 0),
        ((-23, 40), (6.5, 6), 0),
        ((-14, 41), (5, 6.5), 0),
        ((-3, 43), (6, 9.5), 5),
        ((9, 42), (7, 8), -15),
    )
    return [
        body.bone(
            Ellipse(
                moved(centre, body.build(0, 0.8), body.build(0, 0.8)) * size,
                np.array(semi_axes) * size * body.girth,
                angle,
                half=6 * size,
            ),
            cortex=1.2,
            spongy=1.3,
        )
        for centre, semi_axes, angle in places
    ]


def _row(body: Body, joints: list[np.ndarray], shafts: np.ndarray) -> list[Part]:
    """Bones from joint to joint, with joint spaces between them."""
    made = []
    for number, (start, end, shaft) in enumerate(zip(joints, joints[1:], shafts, strict=False)):
        gap = 0.02 if number else 0.0
        last = number == len(shafts) - 1
        ends = (1.9, 1.15) if last else (1.55, 1.6)
        made.append(body.long_bone(start + gap * (end - start), end - 0.02 * (end - start), shaft, ends, 0.42, 0.25))
    return made


def foot(body: Body) -> Anatomy:
    """Sole on the film, toes up, great toe to the left; or seen from the side."""
    return _foot_lateral(body) if body.chance(0.35) else _foot_dorsoplantar(body)


def _foot_dorsoplantar(body: Body) -> Anatomy:
    size, lean = body.share(0.06), body.posed(0, 3)
    bones: list[Part] = []
    flesh: list[Tube] = []
    hallux = body.build(4, 6)
    great = chain(
        np.array([-20, 8]) * size,
        (lean - body.build(4, 3), lean + hallux, lean + hallux + body.posed(2, 3)),
        [size * length for length in body.lengths(61, 32, 24, spread=0.03)],
    )
    bones += _row(body, great, np.array([7.2, 6.2, 5.0]) * size)
    bones += [
        body.bone(Ellipse(moved(great[1], dx * size, 5 * size), (4 * size, 5 * size)), cortex=1.0) for dx in (-4.5, 5)
    ]
    flesh += [Tube(great, np.array([17, 17, 14, 10]) * size, half=15 * size)]
    for number, usual in enumerate(_TOES):
        lengths = [size * length for length in body.lengths(*usual, spread=0.03)]
        base = np.array([-6 + 10.5 * number, 4 + 5.5 * number]) * size
        fan = lean + 2 + 3.6 * number
        curl = body.posed(0, 4)
        joints = chain(
            base, (fan, fan - 2 - 2.2 * number + curl, fan - 4 - 3 * number + curl, fan - 6 - 3 * number), lengths
        )
        bones += _row(body, joints, np.array([3.9, 3.0, 2.9, 2.3]) * size)
        flesh.append(Tube(joints, np.array([15, 13, 9, 8, 7]) * size, half=14 * size))
    places = (
        ((-18, 17), (7, 9.5), 10),
        ((-6, 14), (5.5, 8), 0),
        ((5, 18), (6.5, 9), -5),
        ((18, 33), (9.5, 14), -20),
        ((-10, 34), (17, 7.5), 8),
        ((-7, 54), (15, 17), 0),
    )
    for centre, semi_axes, angle in places:
        middle = moved(centre, body.build(0, 1.0), body.build(0, 1.0)) * size
        half = 11 * size
        bones.append(
            body.bone(
                Ellipse(middle, np.array(semi_axes) * size * body.girth, angle, half=half), cortex=1.6, spongy=1.2
            )
        )
    heel = body.bone(Tube([(10 * size, 55 * size), (4 * size, 92 * size)], [15 * size, 20 * size]), cortex=1.5)
    leg = body.bone(Ellipse((-2 * size, 66 * size), (22 * size, 17 * size), half=10), cortex=2, density=0.8)
    bones += [heel, leg]
    flesh.append(
        Tube([(-2, 10 * size), (2, 60 * size), (1, 88 * size)], np.array([31, 31, 33]) * size * body.fat**0.4, half=27)
    )
    return Anatomy(262, (soft(*flesh, blend=4.0),), tuple(bones), middle=(4, -10))


def _foot_lateral(body: Body) -> Anatomy:
    """From the side, standing, toes to the left."""
    size, ankle = body.share(0.06), body.posed(0, 7)
    raise_ = body.build(20, 3)
    bones: list[Part] = []
    flesh: list[Tube] = []
    for number in range(4):
        slope = 270 - raise_ + 4.5 * number + body.posed(0, 1)
        base = np.array([-12 + 4 * number, 20 + 5 * number]) * size
        girth = 6.4 if number == 0 else 3.8
        joints = chain(base, (slope, slope + 14, 268), [66 * size, 30 * size, 22 * size])
        bones += _row(body, joints, np.array([girth, girth * 0.85, girth * 0.7]) * size)
        flesh.append(Tube(joints, np.array([20, 16, 12, 9]) * size, half=26))
    ankle_top = toward((44 * size, -14 * size), ankle, 200)
    tibia = body.bone(
        Tube([(44 * size, -12 * size), (44 * size, -26 * size), ankle_top], np.array([17, 14, 12.5]) * size), cortex=4.5
    )
    fibula = body.bone(Tube([(52 * size, 2 * size), moved(ankle_top, 12 * size, 0)], [8 * size, 5 * size]), cortex=2.5)
    talus = body.bone(
        Ellipse((42 * size, 8 * size), (24 * size, 13 * size), 10),
        Ellipse((22 * size, 10 * size), (12 * size, 10 * size)),
        cortex=2,
        spongy=1.3,
    )
    calcaneus = body.bone(
        Tube([(28 * size, 30 * size), (56 * size, 32 * size), (84 * size, 40 * size)], np.array([11, 14, 17]) * size),
        cortex=1.8,
        spongy=1.2,
    )
    bones += [tibia, fibula, talus, calcaneus]
    for centre, semi_axes in (((6, 14), (7, 14)), ((-6, 18), (8, 12)), ((10, 32), (13, 10))):
        bones.append(body.bone(Ellipse(np.array(centre) * size, np.array(semi_axes) * size, 15, half=10), cortex=1.4))
    flesh.append(
        Tube(
            [(60 * size, 40 * size), (20 * size, 30 * size), (-20 * size, 38 * size)],
            np.array([34, 28, 22]) * size,
            half=32,
        )
    )
    flesh.append(Tube([(46 * size, 10 * size), ankle_top], np.array([34, 38]) * size * body.fat**0.5, half=36))
    return Anatomy(285, (soft(*flesh, blend=6.0),), tuple(bones))


def knee(body: Body) -> Anatomy:
    """From the front, lower leg down; or from the side, bent, kneecap to the left."""
    return _knee_lateral(body) if body.chance(0.45) else _knee_frontal(body)


def _knee_frontal(body: Body) -> Anatomy:
    size, girth = body.share(0.06), body.girth
    valgus, turn = body.build(5, 2.5), body.posed(0, 2.5)
    hip = toward((0, -10 * size), valgus + body.posed(0, 3), 250)
    shin = toward((0, 14 * size), 180 + body.posed(1, 3), 250)
    gap = body.build(2.6, 0.7)
    femur = body.bone(
        Tube(
            [hip, toward((0, -10 * size), valgus, 70 * size), (0, -34 * size)], np.array([14.5, 16, 29]) * size * girth
        ),
        Ellipse((-19 * size + turn, (-19 - gap) * size), np.array([22, 19]) * size * girth, half=26),
        Ellipse((20 * size + turn, (-19 - gap) * size), np.array([21, 18]) * size * girth, half=26),
        cortex=4.6,
        blend=4,
    )
    tibia = body.bone(
        Box((0, (9 + gap) * size), np.array([39, 9]) * size * girth, 8, half=22),
        Tube([(0, 18 * size), (0, 52 * size), shin], np.array([30, 14.5, 13]) * size * girth),
        Ellipse((-4 * size, gap * size - 1), (4 * size, 5 * size), half=4),
        Ellipse((5 * size, gap * size - 1), (4 * size, 5 * size), half=4),
        cortex=4.2,
        blend=4,
    )
    fibula = body.long_bone((33 * size, 24 * size), moved(shin, 28 * size, 20), 5.6 * size, (1.7, 1.2), 0.5, 0.12)
    patella = body.bone(
        Ellipse((body.posed(2, 2.5) * size, body.posed(-38, 4) * size), np.array([21, 23]) * size * girth, half=9),
        cortex=2,
        spongy=1.4,
        density=0.8,
    )
    flesh = Tube([hip, (0, -20 * size), (0, 20 * size), shin], np.array([76, 58, 54, 55]) * size * body.fat, half=58)
    return Anatomy(265, (soft(flesh),), (femur, tibia, fibula, patella))


def _knee_lateral(body: Body) -> Anatomy:
    size, girth = body.share(0.06), body.girth
    bend = body.posed(35, 16)
    up, down = 0 + bend / 2, 180 - bend / 2
    hip = toward((0, 0), up, 250)
    shin = toward((0, 26 * size), down, 250)
    femur = body.bone(
        Tube(
            [hip, toward((0, 0), up, 70 * size), toward((2, 0), up, 25 * size)], np.array([15, 14.5, 20]) * size * girth
        ),
        Ellipse(toward((-4 * size, -4 * size), up - 90, 3), np.array([27, 24]) * size * girth, half=30),
        Ellipse((10 * size, 0), np.array([22, 21]) * size * girth, half=26),
        cortex=4.6,
        blend=4,
    )
    top = toward((2 * size, 36 * size), down, 0)
    tibia = body.bone(
        Box(top, np.array([29, 9]) * size * girth, 7, angle=down - 180 + 6, half=30),
        Tube([toward(top, down, 6), toward(top, down, 44 * size), shin], np.array([25, 14.5, 13]) * size * girth),
        Ellipse(toward(top, down + 38, 32 * size), (8 * size, 9 * size), half=8),
        cortex=4.2,
        blend=4,
    )
    head = toward(top, down - 42, 26 * size)
    fibula = body.long_bone(head, toward(shin, down - 90, 14), 5.6 * size, (1.6, 1.2), 0.5, 0.12)
    kneecap = toward((-4 * size, -4 * size), -62 + bend * 0.1, body.posed(37, 2) * size)
    patella = body.bone(Ellipse(kneecap, np.array([9.5, 21]) * size, 8 + bend * 0.3, half=19), cortex=2, spongy=1.4)
    flesh = Tube([hip, (4 * size, 10 * size), shin], np.array([74, 56, 55]) * size * body.fat, half=56)
    return Anatomy(265, (soft(flesh, Ellipse(kneecap, (18 * size, 30 * size), 15)),), (femur, tibia, fibula, patella))


def elbow(body: Body) -> Anatomy:
    """From the front, forearm down; or from the side, bent, forearm to the left."""
    return _elbow_lateral(body) if body.chance(0.5) else _elbow_frontal(body)


def _elbow_frontal(body: Body) -> Anatomy:
    size, girth = body.share(0.06), body.girth
    carrying, bend = body.build(9, 4), body.posed(0, 5)
    shoulder = toward((0, -20 * size), bend, 230)
    forearm = 180 - carrying + bend
    humerus = body.bone(
        Tube(
            [shoulder, toward((0, -20 * size), bend, 45 * size), (0, -26 * size)],
            np.array([11.5, 10.5, 13]) * size * girth,
        ),
        Tube(
            [(-25 * size, -16 * size), (0, -14 * size), (22 * size, -15 * size)], np.array([6.5, 9, 6.5]) * size * girth
        ),
        Ellipse((13 * size, -8 * size), np.array([9.5, 9.5]) * size * girth),
        Ellipse((-8 * size, -7 * size), np.array([12, 9]) * size * girth),
        cortex=3.2,
        blend=4,
    )
    far = toward((0, 0), forearm, 240)
    radius = body.bone(
        Box((13.5 * size, 7 * size), np.array([11, 5]) * size * girth, 3, half=11),
        Tube(
            [(13 * size, 10 * size), (12 * size, 28 * size), moved(far, 10 * size, 0)],
            np.array([8, 6, 6.8]) * size * girth,
        ),
        Ellipse((8 * size, 34 * size), (6 * size, 8 * size)),
        cortex=2.6,
        blend=2.5,
    )
    ulna = body.bone(
        Tube(
            [(-7 * size, -22 * size), (-8 * size, 2 * size), (-8 * size, 24 * size), moved(far, -9 * size, 0)],
            np.array([10, 11.5, 9, 6.2]) * size * girth,
        ),
        cortex=2.6,
    )
    flesh = Tube(
        [shoulder, (0, -15 * size), toward((0, 0), forearm, 50), far],
        np.array([48, 41, 43, 33]) * size * body.fat,
        half=40,
    )
    return Anatomy(235, (soft(flesh),), (humerus, radius, ulna))


def _elbow_lateral(body: Body) -> Anatomy:
    size, girth = body.share(0.06), body.girth
    bend = body.posed(82, 20)
    upper = bend / 2 - 8
    lower = upper + 180 + bend
    shoulder = toward((20 * size, 12 * size), upper, 240)
    joint = np.array([20 * size, 16 * size])
    wrist = toward(joint, lower, 240)
    humerus = body.bone(
        Tube(
            [shoulder, toward(joint, upper, 50 * size), toward(joint, upper, 14 * size)],
            np.array([11.5, 10.5, 9]) * size * girth,
        ),
        Ellipse(joint, np.array([12.5, 12.5]) * size * girth, half=24),
        cortex=3.2,
        blend=4,
    )
    elbow_tip = toward(joint, upper + 90, 17 * size)
    ulna = body.bone(
        Tube(
            [
                toward(elbow_tip, upper, 12 * size),
                toward(elbow_tip, upper + 180, 10 * size),
                toward(toward(joint, lower, 30 * size), lower - 90, 11 * size),
                toward(wrist, lower - 90, 9 * size),
            ],
            np.array([9, 11, 9, 6]) * size * girth,
        ),
        cortex=2.6,
    )
    head = toward(toward(joint, lower, 17 * size), lower + 90, 4 * size)
    radius = body.bone(
        Box(head, np.array([10.5, 5]) * size * girth, 3, angle=lower, half=11),
        Tube(
            [head, toward(head, lower, 22 * size), toward(wrist, lower + 90, 7 * size)],
            np.array([7, 6, 7.5]) * size * girth,
        ),
        cortex=2.6,
    )
    flesh = Tube(
        [shoulder, joint, toward(joint, lower, 60), wrist], np.array([50, 40, 42, 33]) * size * body.fat, half=40
    )
    return Anatomy(235, (soft(flesh),), (humerus, ulna, radius))
