/// What a tokenizer is put together from, whichever format it was read from.
struct TokenizerComponents {
  var vocabulary = Vocabulary()
  var merges = MergeTable(count: 0)
  var options = BytePairOptions()
  var normalizers: [Normalizer] = []
  var preTokenizers: [PreTokenizer] = []
  var alphabet = BytePairModel.Alphabet.scalars
  var added: [AddedToken] = []
  var decoder = Decoder()
  var template = Template()
}
