"""The data that stories are made from: photos, annotations and image features."""

from data_reader.signals import end_at_once_while_loading

end_at_once_while_loading()
