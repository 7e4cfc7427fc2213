"""Skull as solids in the beam; y down the patient, millimetres."""

import numpy as np

from core.phantoms.radiographs.body import Anatomy, Body, soft
from core.phantoms.radiographs.shapes import Box, Ellipse, Outline, Part, Tube, moved, turned

_SIDES = (-1, 1)


def skull(body: Body) -> Anatomy:
    """From the front; or from the side, face to the left."""
    return _skull_lateral(body) if body.chance(0.5) else _skull_frontal(body)


def _skull_frontal(body: Body) -> Anatomy:
    size, nod, turn = body.share(0.05), body.posed(0, 3.5), body.posed(0, 3)
    wide, tall = body.lengths(76, 84, spread=0.04)
    vault = body.bone(
        Ellipse((0, -22 * size), np.array([wide, tall]) * size, half=80),
        Ellipse((0, 0), np.array([wide * 0.93, 62]) * size, half=60),
        cortex=5.0,
        spongy=0.08,
        blend=3,
    )
    bones = [vault]
    for side in _SIDES:
        eye = np.array([side * 33 + turn, 8 + nod]) * size
        rim = [moved(eye, 21 * size * np.cos(a), 18.5 * size * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 13)]
        bones.append(body.bone(Tube(rim, 2.6 * size), cortex=4, density=1.3))
        ridge = [np.array([side * x, y + nod]) * size for x, y in ((14, 24), (34, 14), (62, 26))]
        bones.append(body.bone(Tube(ridge, np.array([4, 8, 9]) * size, half=14), cortex=4, density=1.2))
        cheek = [np.array([side * x + turn, y + nod]) * size for x, y in ((56, 10), (52, 34), (26, 46))]
        bones.append(body.bone(Tube(cheek, np.array([4, 7, 7]) * size), cortex=2.2))
        jaw = [np.array([side * x + turn, y + nod * 0.6]) * size for x, y in ((55, 36), (51, 72), (34, 98), (0, 110))]
        bones.append(body.bone(Tube(jaw, np.array([7, 9, 10, 11]) * size), cortex=2.6, spongy=0.8))
        for number in range(5):
            for y in (70, 82):
                tooth = np.array([side * (4.5 + 8 * number) + turn, y - 0.8 * number**1.5 + nod * 0.8]) * size
                bones.append(body.bone(Box(tooth, np.array([3.2, 6]) * size, 2, half=5), cortex=4, density=1.5))
    upper = [np.array([x + turn, 60 + nod - 0.004 * x * x]) * size for x in (-32, -12, 12, 32)]
    bones.append(body.bone(Tube(upper, 9 * size), cortex=2, spongy=0.8))
    bones.append(body.bone(Tube([(turn, 12 + nod), (turn * 1.2, 46 + nod)], 1.8 * size), cortex=2))
    bones += [_cervical(body, np.array([0, 72 + 17.5 * number]) * size, size) for number in range(5)]
    nose = [np.array([x + turn, y + nod]) * size for x, y in ((0, 14), (11, 40), (8, 50), (-8, 50), (-11, 40))]
    sinus = [Ellipse(np.array([s * 29 + turn, 38 + nod]) * size, np.array([12, 13]) * size, half=14) for s in _SIDES]
    air = [
        soft(Outline(nose, 26)),
        soft(*sinus),
        soft(Ellipse(np.array([0, -32]) * size, np.array([17, 8]) * size, half=8)),
    ]
    flesh = soft(
        Ellipse((0, -18 * size), np.array([wide + 7, tall + 5]) * size, half=86),
        Ellipse((0, 40 * size), np.array([69, 76]) * size, half=70),
        Tube([(0, 90 * size), (0, 190)], [52 * size * body.fat, 70 * size * body.fat], half=55),
    )
    return Anatomy(285, (flesh,), tuple(bones), tuple(air))


def _cervical(body: Body, middle: np.ndarray, size: float) -> Part:
    return body.bone(
        Box(middle, np.array([13, 6.6]) * size, 3, half=9),
        Box(middle, np.array([23, 4]) * size, 3, half=7),
        cortex=1.8,
        spongy=1.1,
    )


def _skull_lateral(body: Body) -> Anatomy:
    size, nod = body.share(0.05), body.posed(0, 4)
    long, tall = body.lengths(93, 72, spread=0.04)
    vault = body.bone(
        Ellipse((12 * size, -28 * size), np.array([long, tall]) * size, half=72),
        Ellipse((34 * size, -12 * size), np.array([66, 60]) * size, half=60),
        cortex=5.5,
        spongy=0.08,
        blend=3,
    )
    bones = [vault]
    base = [np.array(p) * size for p in ((-66, 4), (-30, 12), (0, 22), (34, 34), (70, 30))]
    bones.append(body.bone(Tube(base, np.array([4, 5, 9, 10, 5]) * size, half=16), cortex=4, density=1.2))
    bones.append(
        body.bone(Ellipse(np.array([22, 20]) * size, np.array([17, 12]) * size, -15, half=24), cortex=6, density=1.3)
    )
    saddle = [np.array(p) * size for p in ((-14, 2), (-9, 9), (-2, 9), (2, 1))]
    bones.append(body.bone(Tube(saddle, 2.4 * size), cortex=3, density=1.3))
    front = [np.array(p) * size for p in ((-76, -4), (-72, 14), (-58, 22), (-54, 8))]
    bones.append(body.bone(Tube(front, 3.2 * size), cortex=3))
    bones.append(body.bone(Tube([np.array(p) * size for p in ((-72, 42), (-50, 44), (-36, 40))], 8 * size), cortex=2.2))
    bones.append(body.bone(Tube([np.array(p) * size for p in ((-54, 22), (-46, 42))], 8 * size), cortex=2.2))
    jaw = _jaw_points(((10, 28), (2, 74), (-38, 90), (-74, 92)), size, nod)
    bones.append(body.bone(Tube(jaw, np.array([8, 13, 11, 11]) * size, half=14), cortex=3.0, spongy=0.8))
    for number in range(6):
        for y in (57, 69):
            tooth = _jaw_points(((-78 + 8 * number, y + 0.4 * number),), size, nod * 0.7)[0]
            bones.append(body.bone(Box(tooth, np.array([3.3, 6.5]) * size, 2, half=9), cortex=4, density=1.4))
    for number in range(5):
        middle = np.array([30 + 2.5 * number - body.posed(0, 1), 52 + 17.5 * number]) * size
        bones.append(
            body.bone(
                Box(middle, np.array([9.5, 7]) * size, 3, half=11),
                Tube([moved(middle, 12 * size, 0), moved(middle, 34 * size, 8 * size)], np.array([6, 4]) * size),
                cortex=1.8,
                spongy=1.1,
            )
        )
    sinuses = [
        Ellipse(np.array([-54, 28]) * size, np.array([15, 13]) * size, half=26),
        Ellipse(np.array([-70, -10]) * size, np.array([5, 12]) * size, half=16),
        Ellipse(np.array([-18, 18]) * size, np.array([11, 8]) * size, half=16),
    ]
    throat = Tube([np.array(p) * size for p in ((-12, 46), (12, 60), (12, 100), (4, 150))], 8 * size, half=14)
    flesh = soft(
        Ellipse((12 * size, -28 * size), np.array([long + 6, tall + 6]) * size, half=78),
        Outline(
            [
                np.array(p) * size
                for p in (
                    (-84, -30),
                    (-84, 8),
                    (-97, 38),
                    (-86, 48),
                    (-88, 72),
                    (-86, 104),
                    (-30, 112),
                    (-8, 128),
                    (-8, 190),
                    (92, 190),
                    (80, 90),
                    (96, 20),
                    (20, -40),
                )
            ],
            62,
        ),
    )
    return Anatomy(285, (flesh,), tuple(bones), (soft(*sinuses, blend=2), soft(throat)))


def _jaw_points(points: tuple[tuple[float, float], ...], size: float, nod: float) -> list[np.ndarray]:
    """Points of the lower jaw, opened by `nod` degrees about its joint."""
    joint = np.array([10.0, 28.0])
    from_joint = np.array(points).T - joint[:, None]
    return list((turned(from_joint, -abs(nod)) + joint[:, None]).T * size)
