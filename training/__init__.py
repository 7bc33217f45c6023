"""From an experiment to a trained model in a run folder."""

from data_reader.signals import end_at_once_while_loading

end_at_once_while_loading()
