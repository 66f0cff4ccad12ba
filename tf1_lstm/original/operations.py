"""Which operations of a stranger's graph may run: those that compute, and no others.

A graph is a program. The list below is of operations whose outputs follow from their inputs, from
variables of this process and from random numbers; what is not on it never reaches TensorFlow. Queues,
readers, datasets, tables and image decoders are left out: a batch is fed in their place.
"""

from typing import FrozenSet

ARITHMETIC = """
Abs AccumulateNV2 Acos Acosh Add AddN AddV2 ApproximateEqual Asin Asinh Atan Atan2 Atanh BesselI0e BesselI1e
BitwiseAnd BitwiseOr BitwiseXor Cast Ceil Complex ComplexAbs Conj Cos Cosh Cross Cumprod Cumsum
CumulativeLogsumexp Digamma Div DivNoNan Equal Erf Erfc EuclideanNorm Exp Expm1 Floor FloorDiv FloorMod
Greater GreaterEqual Igamma Igammac Imag Inv InvGrad Invert IsFinite IsInf IsNan L2Loss Less LessEqual Lgamma
LinSpace Log Log1p LogicalAnd LogicalNot LogicalOr Max Maximum Mean Min Minimum Mod Mul MulNoNan Neg NotEqual
Pow Prod Range Real RealDiv Reciprocal ReciprocalGrad Rint Round Rsqrt RsqrtGrad Sign Sin Sinh Sqrt SqrtGrad
Square SquaredDifference Sub Sum Tan Tanh TanhGrad TruncateDiv TruncateMod Xdivy Xlogy Any All Angle
ClipByValue ArgMax ArgMin Betainc Bincount Bitcast HistogramFixedWidth LeftShift RightShift
"""
ARRAYS = """
BroadcastArgs BroadcastGradientArgs BroadcastTo Concat ConcatOffset ConcatV2 Const DepthToSpace Diag DiagPart
DynamicPartition DynamicStitch ParallelDynamicStitch EnsureShape ExpandDims ExtractImagePatches Fill Gather
GatherNd GatherV2 GuaranteeConst Identity IdentityN InTopK InTopKV2 InvertPermutation ListDiff LowerBound
MatrixBandPart MatrixDiag MatrixDiagPart MatrixSetDiag MirrorPad MirrorPadGrad NthElement OneHot OnesLike Pack
Pad PadV2 PlaceholderWithDefault Placeholder PlaceholderV2 PreventGradient Rank Reshape Reverse
ReverseSequence ReverseV2 Roll ScatterNd ScatterNdNonAliasingAdd SegmentMax SegmentMean SegmentMin SegmentProd
SegmentSum Select SelectV2 Shape ShapeN Size Slice Snapshot SpaceToBatch SpaceToBatchND BatchToSpace
BatchToSpaceND SpaceToDepth Split SplitV Squeeze StopGradient StridedSlice StridedSliceGrad
TensorScatterAdd TensorScatterSub TensorScatterUpdate Tile TileGrad TopK TopKV2 Transpose ConjugateTranspose
Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2 Unpack UnravelIndex UnsortedSegmentMax UnsortedSegmentMin
UnsortedSegmentProd UnsortedSegmentSum UpperBound Where ZerosLike Empty DeepCopy
"""
LINEAR_ALGEBRA = """
MatMul BatchMatMul BatchMatMulV2 Einsum SparseMatMul MatrixInverse MatrixDeterminant MatrixSolve Cholesky
CholeskyGrad MatrixTriangularSolve Qr Svd SelfAdjointEig SelfAdjointEigV2 LogMatrixDeterminant
"""
NETWORKS = """
AvgPool AvgPool3D AvgPool3DGrad AvgPoolGrad BatchNormWithGlobalNormalization
BatchNormWithGlobalNormalizationGrad BiasAdd BiasAddGrad BiasAddV1 BlockLSTM BlockLSTMGrad
CTCBeamSearchDecoder CTCGreedyDecoder CTCLoss CheckNumerics Conv2D Conv2DBackpropFilter Conv2DBackpropInput
Conv3D Conv3DBackpropFilter Conv3DBackpropFilterV2 Conv3DBackpropInput Conv3DBackpropInputV2 DataFormatDimMap
DataFormatVecPermute DepthwiseConv2dNative DepthwiseConv2dNativeBackpropFilter
DepthwiseConv2dNativeBackpropInput Dilation2D Dilation2DBackpropFilter Dilation2DBackpropInput
EditDistance Elu EluGrad FusedBatchNorm FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3
FusedBatchNormV2 FusedBatchNormV3 GRUBlockCell GRUBlockCellGrad LRN LRNGrad LSTMBlockCell LSTMBlockCellGrad
LeakyRelu LeakyReluGrad LogSoftmax MaxPool MaxPool3D MaxPool3DGrad MaxPoolGrad MaxPoolGradV2
MaxPoolGradWithArgmax MaxPoolV2 MaxPoolWithArgmax Relu Relu6 Relu6Grad ReluGrad ResizeBilinear
ResizeBilinearGrad ResizeNearestNeighbor ResizeNearestNeighborGrad Selu SeluGrad Sigmoid SigmoidGrad Softmax
SoftmaxCrossEntropyWithLogits Softplus SoftplusGrad Softsign SoftsignGrad
SparseSoftmaxCrossEntropyWithLogits ComputeAccidentalHits
"""
RANDOM = """
Multinomial RandomGamma RandomPoisson RandomPoissonV2 RandomShuffle RandomStandardNormal RandomUniform
RandomUniformInt TruncatedNormal ParameterizedTruncatedNormal AllCandidateSampler FixedUnigramCandidateSampler
LearnedUnigramCandidateSampler LogUniformCandidateSampler ThreadUnsafeUnigramCandidateSampler
UniformCandidateSampler StatelessMultinomial StatelessRandomNormal StatelessRandomUniform
StatelessRandomUniformInt StatelessTruncatedNormal
"""
CONTROL = """
Assert ControlTrigger Enter Exit LoopCond Merge NextIteration NoOp RefEnter RefExit RefIdentity RefMerge
RefNextIteration RefSelect RefSwitch Switch If StatelessIf While StatelessWhile PartitionedCall
StatefulPartitionedCall SymbolicGradient FakeParam Stack StackClose StackCloseV2 StackPop StackPopV2 StackPush
StackPushV2 StackV2 TensorArray TensorArrayClose TensorArrayCloseV2 TensorArrayCloseV3 TensorArrayConcat
TensorArrayConcatV2 TensorArrayConcatV3 TensorArrayGather TensorArrayGatherV2 TensorArrayGatherV3
TensorArrayGrad TensorArrayGradV2 TensorArrayGradV3 TensorArrayGradWithShape TensorArrayPack TensorArrayRead
TensorArrayReadV2 TensorArrayReadV3 TensorArrayScatter TensorArrayScatterV2 TensorArrayScatterV3
TensorArraySize TensorArraySizeV2 TensorArraySizeV3 TensorArraySplit TensorArraySplitV2 TensorArraySplitV3
TensorArrayUnpack TensorArrayV2 TensorArrayV3 TensorArrayWrite TensorArrayWriteV2 TensorArrayWriteV3
EmptyTensorList TensorListConcat TensorListElementShape TensorListFromTensor TensorListGather
TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack TensorListReserve TensorListScatter
TensorListSetItem TensorListSplit TensorListStack
"""
VARIABLES = """
Assign AssignAdd AssignAddVariableOp AssignSub AssignSubVariableOp AssignVariableOp CountUpTo
DestroyTemporaryVariable IsVariableInitialized ReadVariableOp ResourceGather ResourceGatherNd
ResourceScatterAdd ResourceScatterSub ResourceScatterUpdate ScatterAdd ScatterDiv ScatterMax ScatterMin
ScatterMul ScatterNdAdd ScatterNdSub ScatterNdUpdate ScatterSub ScatterUpdate StridedSliceAssign
TemporaryVariable VarHandleOp VarIsInitializedOp Variable VariableShape VariableV2
"""
APPLY = """
AdaMax Adadelta Adagrad AdagradDA AdagradV2 Adam AddSign CenteredRMSProp Ftrl FtrlV2 GradientDescent
KerasMomentum Momentum PowerSign ProximalAdagrad ProximalGradientDescent RMSProp
"""
SPARSE = """
DeserializeSparse SerializeSparse SparseAdd SparseAddGrad SparseConcat SparseDenseCwiseAdd SparseDenseCwiseDiv
SparseDenseCwiseMul SparseFillEmptyRows SparseFillEmptyRowsGrad SparseReduceMax SparseReduceSum SparseReorder
SparseReshape SparseSegmentMean SparseSegmentMeanGrad SparseSegmentSqrtN SparseSegmentSqrtNGrad
SparseSegmentSum SparseSlice SparseSoftmax SparseTensorDenseAdd SparseTensorDenseMatMul SparseToDense
"""
# Texts in memory: summaries make protocol buffers and write nothing; Print writes to the log.
TEXTS = """
AsString HistogramSummary MergeSummary Print ScalarSummary StringJoin StringToNumber TensorSummary
TensorSummaryV2
"""

ALLOWED: FrozenSet[str] = frozenset(
    word
    for group in (
        ARITHMETIC,
        ARRAYS,
        LINEAR_ALGEBRA,
        NETWORKS,
        RANDOM,
        CONTROL,
        VARIABLES,
        SPARSE,
        TEXTS,
        " ".join(
            before + kind for kind in APPLY.split() for before in ("Apply", "ResourceApply", "SparseApply")
        ),
        " ".join("ResourceSparseApply" + kind for kind in APPLY.split()),
    )
    for word in group.split()
)

# What a Saver adds to every graph. It is taken out: the variables are read by this program.
SAVER: FrozenSet[str] = frozenset(
    (
        "Save",
        "SaveSlices",
        "SaveV2",
        "Restore",
        "RestoreSlice",
        "RestoreV2",
        "MergeV2Checkpoints",
        "ShardedFilename",
        "ShardedFilespec",
    )
)

# Parts of the names of operations that run a program of the graph's author, or touch files, processes,
# devices or the network. A graph that holds one is refused whole; other operations that are not allowed
# (a queue, a table) only where they are needed.
HOSTILE_WORDS = (
    "PyFunc",
    "ReadFile",
    "WriteFile",
    "WholeFile",
    "MatchingFiles",
    "FromTextFile",
    "Remote",
    "Abort",
    "Sql",
    "PrintV2",
    "DebugIdentity",
    "DebugNumericSummary",
    "SummaryWriter",
    "SummaryDbWriter",
    "SummaryFileWriter",
    "ImportEvent",
    "LoadAndRemap",
    "VocabRemapping",
    "DatasetToTFRecord",
    "BigQuery",
    "Send",
    "Recv",
    "SessionHandle",
    "SessionTensor",
    "Xla",
    "TPU",
    "Write",
)


def is_hostile(operation: str) -> bool:
    """Whether an operation is of a kind that no model needs for its numbers."""
    if operation in ALLOWED or operation in SAVER:
        return False
    return any(word in operation for word in HOSTILE_WORDS)
