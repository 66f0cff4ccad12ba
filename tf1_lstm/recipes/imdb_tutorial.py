"""The IMDB sentiment tutorial: word ids, GloVe vectors, one LSTM, a softmax over its last output."""

from tf1_lstm.core.cells import BasicLSTM
from tf1_lstm.recipes.data_parts import TutorialImdb
from tf1_lstm.recipes.experiment import (
    Adam,
    EarlyStopping,
    Experiment,
    FrozenVectors,
    Recurrent,
    Softmax,
    Steps,
    TensorFlow1,
    WrapperDropout,
)
from tf1_lstm.recipes.published import Figure, LogLine, Oddity, Published

DOCUMENT = "LSTM in TensorFlow (Easter79, after an O'Reilly notebook of 2017)"
SOURCE = f"{DOCUMENT}, section 6"

# "iteration N" as printed: the printed number is the loop's counter plus one.
PUBLISHED_LOG = (
    LogLine(1001, 0.6308178901672363, 0.5),
    LogLine(2001, 0.7168402671813965, 0.625),
    LogLine(3001, 0.7420873641967773, 0.5),
    LogLine(4001, 0.650059700012207, 0.5416666865348816),
    LogLine(5001, 0.6791467070579529, 0.5),
    LogLine(6001, 0.6914048790931702, 0.5416666865348816),
    LogLine(7001, 0.36072710156440735, 0.8333333134651184),
    LogLine(8001, 0.5486791729927063, 0.75),
    LogLine(9001, 0.41976991295814514, 0.7916666865348816),
    LogLine(10001, 0.10224487632513046, 1.0),
    LogLine(11001, 0.37682783603668213, 0.8333333134651184),
    LogLine(12001, 0.266050785779953, 0.9166666865348816),
    LogLine(13001, 0.40790924429893494, 0.7916666865348816),
    LogLine(14001, 0.22000855207443237, 0.875),
    LogLine(15001, 0.49727579951286316, 0.7916666865348816),
    LogLine(16001, 0.21477992832660675, 0.9166666865348816),
    LogLine(17001, 0.31636106967926025, 0.875),
    LogLine(18001, 0.17190784215927124, 0.9166666865348816),
    LogLine(19001, 0.11049345880746841, 1.0),
    LogLine(20001, 0.06362085044384003, 1.0),
    LogLine(21001, 0.19093847274780273, 0.9583333134651184),
    LogLine(22001, 0.06586482375860214, 0.9583333134651184),
    LogLine(23001, 0.02577809803187847, 1.0),
    LogLine(24001, 0.0732395276427269, 0.9583333134651184),
    LogLine(25001, 0.30879321694374084, 0.9583333134651184),
    LogLine(26001, 0.2742778956890106, 0.9583333134651184),
    LogLine(27001, 0.23742587864398956, 0.875),
    LogLine(28001, 0.04694415628910065, 1.0),
    LogLine(29001, 0.031666990369558334, 1.0),
    LogLine(30001, 0.09171193093061447, 1.0),
    LogLine(31001, 0.03852967545390129, 1.0),
    LogLine(32001, 0.06964454054832458, 1.0),
    LogLine(33001, 0.12447216361761093, 0.9583333134651184),
    LogLine(34001, 0.008963108994066715, 1.0),
    LogLine(35001, 0.04129207879304886, 0.9583333134651184),
    LogLine(36001, 0.0081111378967762, 1.0),
    LogLine(37001, 0.022405564785003662, 1.0),
    LogLine(38001, 0.03473325073719025, 1.0),
    LogLine(39001, 0.09315425157546997, 0.9583333134651184),
    LogLine(40001, 0.3166258931159973, 0.9583333134651184),
    LogLine(41001, 0.03648881986737251, 1.0),
    LogLine(42001, 0.2616865932941437, 0.9583333134651184),
    LogLine(43001, 0.013914794661104679, 1.0),
    LogLine(44001, 0.020460862666368484, 1.0),
    LogLine(45001, 0.15876878798007965, 0.9583333134651184),
    LogLine(46001, 0.007766606751829386, 1.0),
    LogLine(47001, 0.02079685777425766, 1.0),
    LogLine(48001, 0.017801295965909958, 1.0),
    LogLine(49001, 0.017789073288440704, 1.0),
)

# Ten test batches of 24 reviews, restored from the checkpoint of iteration 40,000, dropout on.
# The document prints percentages with ten digits; the batches hold 24 reviews, so k of 24 is exact.
PUBLISHED_TEST_BATCHES = tuple(correct / 24 for correct in (22, 19, 21, 21, 22, 18, 22, 17, 20, 23))

IMDB_LSTM = Experiment(
    name="imdb-lstm",
    title="IMDB sentiment: GloVe 50d, BasicLSTMCell(64), dropout on the outputs, last output to softmax",
    data=TutorialImdb(steps=250, sampler="published"),
    inputs=FrozenVectors(),
    recurrent=Recurrent(BasicLSTM(units=64, forget_bias=1.0), read="output"),
    dropout=WrapperDropout(output_keep_prob=0.75),
    head=Softmax(2),
    initial_values=TensorFlow1(softmax="truncated_normal", softmax_bias=0.1),
    optimizer=Adam(learning_rate=0.001),
    schedule=Steps(50_000, batch_size=24, log_every=1000, save_every=10_000, fixed_batch=True),
    published=Published(
        source=SOURCE,
        figures=(
            Figure(
                name="mean of ten test batches, checkpoint 40,000",
                value=sum(PUBLISHED_TEST_BATCHES) / len(PUBLISHED_TEST_BATCHES),
                examples=240,
                split="tutorial-test",
                dropout=True,
                source=f"{DOCUMENT}, section 6, last listing",
                parts=PUBLISHED_TEST_BATCHES,
                iteration=40000,
            ),
        ),
        log=PUBLISHED_LOG,
        oddities=(
            Oddity(
                "Batches are drawn from ranges that overlap: rows are in both training and test, one is "
                "labelled wrongly, one is never used (the audit lists them).",
                {"data.sampler": "corrected"},
            ),
            Oddity(
                "No sequence length is given: the last output is read after the padding, and the loss stays "
                "near 0.69 for thousands of iterations.",
                {"recurrent.mask": "sequence_length"},
            ),
            Oddity(
                "Training goes on long after the test loss is lowest; the document explains early stopping "
                "and does not use it.",
                {"schedule.early_stopping": EarlyStopping(split="tutorial-test", every=1000, patience=10)},
            ),
            Oddity(
                "Dropout is a constant of the published graph, so its test accuracies are measured with "
                "dropout on. No setting: `evaluate` measures both."
            ),
            Oddity(
                "The logged accuracy is that of the batch just trained on, with dropout on. No setting: "
                "`evaluate` measures any checkpoint."
            ),
            Oddity(
                "The published graph holds a variable that nothing reads (7.2 MB in every checkpoint) and the "
                "word vectors as a constant (80 MB in every .meta); here the first is left out and the "
                "second is a variable that is not saved. No setting brings them back."
            ),
        ),
        headline=True,
        sample={
            "data.steps": 50,
            "schedule.iterations": 1000,
            "schedule.log_every": 100,
            "schedule.save_every": 250,
        },
    ),
)

RECIPES = (IMDB_LSTM,)
