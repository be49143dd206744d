//! Who is in a book, decided like everything else in it: with the roles at that seq, as an entry.

use tidebook_book::{Author, Change, Domain, Draft, Knows, MemberChange, MutationId, Role, Seq, UnixMillis, UserId};

use super::{Authority, Stamp};

/// Why a change of members was not made. Nothing entered the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberRefusal {
    /// Who asks is not a member.
    NotAMember,
    /// Only owners decide who is in a book.
    NotAnOwner,
    /// Who it is about is not a member.
    NoSuchMember,
    /// A book always has an owner.
    LastOwner,
}

impl<D: Domain> Authority<D> {
    /// Changes who is in the book. `None`: it is so already.
    ///
    /// Whoever adds is taken to hold an invite that the caller has checked.
    pub fn handle_member_change(
        &mut self,
        at: UnixMillis,
        author: Author,
        id: MutationId,
        change: MemberChange,
    ) -> Result<Option<Seq>, MemberRefusal> {
        if !self.check_member_change(author.user, &change)? {
            return Ok(None);
        }
        Ok(Some(self.change_members(at, author, id, change)))
    }

    fn change_members(&mut self, at: UnixMillis, author: Author, id: MutationId, change: MemberChange) -> Seq {
        let n = self.last_number(author.replica).next();
        let draft = Draft {
            seq: self.head.next(),
            at,
            author,
            mutation: id,
            made_at: at,
            base: self.head,
            knows: Knows::Nothing,
            index: 0,
        };
        let change = Change::Member(change);
        let undo = self.state.apply(&change, &draft);
        let stamp = Stamp { at, author, id, n, made_at: at, undoes: None };
        let _ = self.stage(&stamp, vec![undo], Ok(vec![change]));
        self.head
    }

    /// Makes somebody an owner by the word of whoever runs the server, who answers to nobody in the book. `None`: they
    /// are one already.
    pub fn handle_new_owner(&mut self, at: UnixMillis, author: Author, id: MutationId) -> Option<Seq> {
        let (user, role) = (author.user, Role::Owner);
        match self.state.role_of(user) {
            Some(Role::Owner) => None,
            Some(_) => Some(self.change_members(at, author, id, MemberChange::RoleChanged { user, role })),
            None => Some(self.change_members(at, author, id, MemberChange::Added { user, role })),
        }
    }

    /// Whether there is anything to change.
    fn check_member_change(&self, by: UserId, change: &MemberChange) -> Result<bool, MemberRefusal> {
        let owner = || match self.state.role_of(by) {
            None => Err(MemberRefusal::NotAMember),
            Some(Role::Owner) => Ok(()),
            Some(_) => Err(MemberRefusal::NotAnOwner),
        };
        match *change {
            MemberChange::Added { user, .. } => Ok(self.state.role_of(user).is_none()),
            MemberChange::RoleChanged { user, role } => {
                owner()?;
                let before = self.state.role_of(user).ok_or(MemberRefusal::NoSuchMember)?;
                self.check_owner_stays(user, Some(role))?;
                Ok(before != role)
            }
            MemberChange::Removed { user } => {
                if user != by {
                    owner()?;
                }
                let missing = if user == by { MemberRefusal::NotAMember } else { MemberRefusal::NoSuchMember };
                self.state.role_of(user).ok_or(missing)?;
                self.check_owner_stays(user, None)?;
                Ok(true)
            }
        }
    }

    fn check_owner_stays(&self, user: UserId, role: Option<Role>) -> Result<(), MemberRefusal> {
        let owners = self.state.members.iter().filter(|(_, role)| **role == Role::Owner);
        let other_owner = owners.into_iter().any(|(owner, _)| *owner != user);
        let is_owner = self.state.role_of(user) == Some(Role::Owner);
        if is_owner && role != Some(Role::Owner) && !other_owner { Err(MemberRefusal::LastOwner) } else { Ok(()) }
    }
}
