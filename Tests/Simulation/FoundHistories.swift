/// Histories, made small, in which a scheduler did not hold what it promises.
enum FoundHistories {
  static let all = [
    // A request was taken for overtaken by one that had come before it.
    "page-size=2,context=2,policy=2,patience=1;prompt=2,count=2;at=1",
    // A prompt to be scored was let in for the pages that it would not share.
    "slots=2,rows=2,prefill=2,pages=4,page-size=2,context=3,caching=1;prompt=3,count=2,scores=1",
    // A completion that lost its pages took its family's beginning again, not its own pages.
    "slots=3,rows=3,pages=7,page-size=2,context=9,caching=1;prompt=3,max=7,count=3",
  ]
}
