//! Lists, a page at a time.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// Items a page, unless the caller says.
const PAGE: usize = 100;
/// And the most the caller may say.
const PAGE_MAX: usize = 1000;

/// Which page of a list is asked for.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    pub(crate) limit: Option<usize>,
    /// The `next_cursor` of the page before; opaque to callers.
    pub(crate) cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

/// A place in a list that stays where it is while items come and go around it.
pub(crate) type Place = (u64, u64);

impl PageQuery {
    fn limit(&self) -> Result<usize, Problem> {
        let limit = self.limit.unwrap_or(PAGE);
        if (1..=PAGE_MAX).contains(&limit) {
            return Ok(limit);
        }
        Err(Problem::malformed(format!("`limit` is from 1 to {PAGE_MAX}.")))
    }

    fn after(&self) -> Result<Option<Place>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let place = cursor.split_once('-').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        place
            .map(Some)
            .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "malformed", "This cursor is none of ours."))
    }

    /// Cuts a page out of items that stand in the order of their places.
    pub(crate) fn cut<T>(&self, items: impl IntoIterator<Item = (Place, T)>) -> Result<Page<T>, Problem> {
        let (limit, after) = (self.limit()?, self.after()?);
        let mut rest = items.into_iter().filter(|(place, _)| after.is_none_or(|after| *place > after));
        let mut page = Page { items: Vec::new(), next_cursor: None };
        let mut last = None;
        for (place, item) in rest.by_ref().take(limit) {
            page.items.push(item);
            last = Some(place);
        }
        if rest.next().is_some() {
            page.next_cursor = last.map(|(major, minor)| format!("{major}-{minor}"));
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(limit: Option<usize>, cursor: Option<&str>) -> Option<(Vec<u64>, Option<String>)> {
        let query = PageQuery { limit, cursor: cursor.map(str::to_owned) };
        let page = query.cut((1..=5).map(|n| ((n, 0), n))).ok()?;
        Some((page.items, page.next_cursor))
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        assert_eq!(cut(Some(2), None), Some((vec![1, 2], Some("2-0".into()))));
        assert_eq!(cut(Some(2), Some("2-0")), Some((vec![3, 4], Some("4-0".into()))));
        assert_eq!(cut(Some(2), Some("4-0")), Some((vec![5], None)));
        assert_eq!(cut(Some(5), None), Some((vec![1, 2, 3, 4, 5], None)));
        assert_eq!(cut(None, Some("9-9")), Some((vec![], None)));
    }

    #[test]
    fn limits_and_cursors_are_checked() {
        for (limit, cursor, stands) in [
            (Some(0), None, false),
            (Some(1), None, true),
            (Some(PAGE_MAX), None, true),
            (Some(PAGE_MAX + 1), None, false),
            (None, Some(""), false),
            (None, Some("1"), false),
            (None, Some("-1-1"), false),
            (None, Some("1-x"), false),
        ] {
            assert_eq!(cut(limit, cursor).is_some(), stands, "{limit:?} {cursor:?}");
        }
    }
}
