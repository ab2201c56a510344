"""A loop of the standard library alone: a walk that learns where it wants to go."""
import random

from mtkd_trainer import Run


class Walker:
    """Learns a point by noisy steps; it has momentum, so that a resume without it would show."""

    def __init__(self, size):
        self.place = [random.gauss(0, 1) for _ in range(size)]
        self.speed = [0.0] * size

    def state_dict(self):
        return {"place": self.place, "speed": self.speed}

    def load_state_dict(self, state):
        self.place, self.speed = list(state["place"]), list(state["speed"])

    def step(self, target, rate):
        for i, wanted in enumerate(target):
            self.speed[i] = 0.9 * self.speed[i] - rate * (self.place[i] - wanted) + random.gauss(0, 0.01)
            self.place[i] += self.speed[i]


def main(epochs=6):
    random.seed(5)
    data = [[random.gauss(n % 3, 1) for _ in range(8)] for n in range(400)]
    walker = Walker(8)
    run = Run()
    state = run.resume(walker=walker)
    for epoch in run.epochs(state):
        order = random.sample(range(len(data)), len(data))
        for index in run.steps(order, every=50):
            walker.step(data[index], 0.01)
        distance = sum((a - 1) ** 2 for a in walker.place) ** 0.5
        print(f"epoch {epoch}: distance {distance!r}")
        run.report(epoch, {"test.distance": distance}, state)


if __name__ == "__main__":
    main()
