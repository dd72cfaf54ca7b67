/// The candidate that `text` was probably meant to be: the fewest single-letter edits away, at most a third of
/// the longer word (and always one). Nil when nothing is near.
func nearest(to text: String, among candidates: [String]) -> String? {
    let scored = candidates.map { (name: $0, edits: editDistance(text.lowercased(), $0.lowercased())) }
    guard let best = scored.min(by: { $0.edits < $1.edits }) else { return nil }
    return best.edits <= max(1, max(text.count, best.name.count) / 3) ? best.name : nil
}

/// Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment).
func editDistance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left), Array(right))
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in left.indices {
        var current = [row + 1]
        for column in right.indices {
            let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
            var best = min(replaced, last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                best = min(best, beforeLast[column - 1] + 1)
            }
            current.append(best)
        }
        beforeLast = last
        last = current
    }
    return last[right.count]
}
