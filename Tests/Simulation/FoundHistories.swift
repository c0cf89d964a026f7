/// Histories, made small, in which a scheduler did not hold what it promises.
enum FoundHistories {
  static let all = [
    // A request was taken for overtaken by one that had come before it.
    "page-size=2,context=2,policy=2,patience=1;prompt=2,count=2;at=1",
    // A prompt to be scored was let in for the pages that it would not share.
    "slots=2,rows=2,prefill=2,pages=4,page-size=2,context=3,caching=1;prompt=3,count=2,scores=1",
    // A completion that lost its pages took its family's beginning again, not its own pages.
    "slots=3,rows=3,pages=7,page-size=2,context=9,caching=1;prompt=3,max=7,count=3",
    // A part of a page was copied in the step that was still to compute it.
    "slots=3,rows=64,prefill=64,pages=9,page-size=4,context=40,static=1,caching=1,vocabulary=2;"
      + "prompt=6,share=6,max=10,seed=1;prompt=8,stem=1,share=8,max=29,seed=2;;fork=1,priority=1,max=10;"
      + "at=1,prompt=9,share=6;at=3,fork=1,max=10",
  ]
}
