"""Right, but image by image: seconds where numpy needs hundredths of a second."""

FAILS = {"test_class_log_likelihood_no_loop"}

# %% class_log_likelihood
def class_log_likelihood(images, means, variances):
    rows = []
    for image in images:
        terms = np.log(2 * np.pi * variances) + (image - means) ** 2 / variances
        rows.append(-0.5 * terms.sum(axis=1))
    return np.array(rows)
