"""What generate.py says in Java's words."""

# Parameters by name.
DESCRIBED = {
    "x": "the input", "a": "the first operand", "b": "the second operand", "dim": "the dimension; negative: from the end", "dims": "the dimensions",
    "shape": "the extents", "ctx": "the context", "options": "what differs from the defaults; null: nothing", "params": "what differs from the defaults; null: nothing",
    "keepDims": "leaves extents of 1", "dtype": "the element type", "bias": "the bias, or null", "mask": "the mask, or null", "prefix": "goes before the names; null: none",
    "scaler": "the loss scaler, or null", "policy": "the policy, or null", "name": "the name", "reduction": "how the loss comes from its elements",
    "weight": "the weight", "eps": "keeps the divisor from 0", "p": "the probability", "target": "what should have come", "targets": "what should have come",
    "path": "the file", "v": "the second vector", "src": "where the elements come from", "index": "where the elements are, I32 or I64", "width": "in pixels",
    "height": "in pixels", "stride": "between windows; 0: the kernel", "padding": "at both ends", "kernel": "the extent of a window", "training": "true: training",
    "low": "the least", "high": "the largest", "k": "the diagonal: 0 the main one, above it positive", "diagonal": "0: the main one; above it positive",
    "std": "the standard deviation", "mean": "the middle", "start": "the first", "step": "the difference of neighbours", "length": "how many", "slope": "of the negative side",
    "shift": "what is added", "scale": "what is multiplied by", "seed": "the start of the random numbers", "requiresGrad": "true: asks for them",
    "repeats": "how often along each dimension", "positiveWeight": "the weight of the positive class, or null", "pattern": "a name, or one with * in it",
    "parameter": "of the function, where it has one", "paddingIndex": "its row is left alone; negative: none", "op": "the name of an op", "ndims": "how many, the last ones",
    "maxValue": "the largest magnitude; 0: no clipping", "maxNorm": "the largest norm; 0: no clipping", "lr": "the rate", "key": "the name of the option",
    "frozen": "true: no gradients", "exponent": "the power", "decay": "from [0, 1)", "correction": "is taken from the count", "classes": "how many",
    "child": "a layer", "body": "a layer", "shortcut": "a layer; null: the input itself", "stream": "its address; 0: the context's own", "margin": "the distance that is asked for",
    "blank": "the class that says nothing", "zeroInfinity": "true: 0 instead of infinite losses", "momentum": "the share of the new statistics", "groups": "of channels",
    "inputLengths": "of each sequence, or null", "targetLengths": "of each target", "runningMean": "the statistics, or null", "runningVar": "the statistics, or null",
    "delta": "where the line begins", "alpha": "of the negative side", "hidden": "the state before", "hiddenGates": "the products of the state",
    "factorH": "of the height", "factorW": "of the width", "tensor": "the tensor", "layer": "the layer", "optimizer": "the optimizer", "average": "the average",
}
# What the header does not say because C's declaration does.
UNSAID = {"mpt_tensor_dtype": "The element type.", "mpt_tensor_ndim": "The number of dimensions.", "mpt_tensor_requires_grad": "Whether gradients are asked for.",
          "mpt_state_number": "A number of the host's own, after loading."}
# Constants that the header does not explain.
PLAIN = {"OK": "no failure", "RELU": "max(x, 0)", "GELU": "MPT_GELU_EXACT", "GELU_TANH": "MPT_GELU_TANH", "SILU": "x sigmoid(x)", "SIGMOID": "1 / (1 + exp(-x))",
         "TANH": "the hyperbolic tangent", "SOFTPLUS": "log(1 + exp(x))", "F64": "64 bits", "F32": "32 bits", "I8": "signed, 8 bits", "I16": "signed, 16 bits",
         "I32": "signed, 32 bits", "I64": "signed, 64 bits", "U8": "unsigned, 8 bits", "CPU": "the processor", "ZEROS": "0", "ONES": "1",
         "ERROR": "something has failed", "WARNING": "something that may not be meant", "INFO": "what is going on", "DEBUG": "details, for finding defects", "MEAN": "their mean",
         "SUM": "their sum", "NONE": "the elements themselves", "FORWARD": "the forward product", "INPUT_GRADIENT": "the product that gives the gradient of the input",
         "WEIGHT_GRADIENT": "the product that gives the gradient of the weight", "CONSTANT": "the same rate", "NEAREST": "the nearest pixel"}
# What the header says in terms of C, and how Java has it.
SAID = [
    (r"ndim 0 is a scalar \(shape may be NULL\)", "no extents: a scalar"),
    (r"(Sum) over ndims dimensions \(dims NULL: all\)", r"\1 over dims (none named: over all)"),
    (r"keep_dims 1 leaves", "keepDims leaves"), (r"dims NULL: the last", "none named: the last"),
    (r";? ?(text )?conventions as mpt_policy_describe\.", "."), (r" Writes at most nbytes bytes, .*? nbytes is 0\.", ""), (r" ?(Owned by the caller|Borrowed)\.", ""),
    (r"stays? the caller's to release", lambda m: m.group(0).replace("release", "close")), (r"desc NULL: the defaults", "options null: the defaults"),
    (r"\b(Asks for|refuses|Training|training|evaluation|Frozen) \(([01])", lambda m: f"{m.group(1)} ({'true' if m.group(2) == '1' else 'false'}"),
    (r"NULL: the context's own again", "0: the context's own again"), (r"anything but NULL", "anything but 0"), (r"; NULL on the CPU", "; 0 on the CPU"),
    (r"gives them all, in order: n_outputs is their number", "gives them all, in order"), (r"; 0: all do", "; false: all do"),
    (r"\bNULL\b", "null"),
]
