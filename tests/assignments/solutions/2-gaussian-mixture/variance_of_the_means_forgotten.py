"""Averages the variances within components and forgets that their lines differ."""

FAILS = {"test_predict_mixture"}

# %% predict
def predict(durations, parameters):
    w, m, c = parameters
    first = Parameters(w, m[:, [0]], c[:, [0]][:, :, [0]])
    resp = trusted_e_step(durations[:, None], first)[0]
    slopes = c[:, 1, 0] / c[:, 0, 0]
    lines = m[:, 1] + slopes * (durations[:, None] - m[:, 0])
    return (resp * lines).sum(axis=1), np.sqrt(resp @ (c[:, 1, 1] - slopes * c[:, 0, 1]))
